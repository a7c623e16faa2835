package remote

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// DefaultTimeout is the default of [Settings.Timeout].
const DefaultTimeout = 5 * time.Second

// Settings say which model of which endpoint embeds texts. The embedders of all APIs are
// made from them.
type Settings struct {
	// URL is the endpoint: the plugin's embeddings.model.options.upstream_url. See
	// [ParseURL] for what is refused; an embedder may complete the path.
	URL string

	// Provider and Model make up [embeddings.Info.Model]; Model is also sent.
	Provider, Model string

	// Dimensions is the width to request and to insist on, until the embedder adopts
	// another one ([embeddings.WidthAdopter]). At 0 none is requested, and the width of
	// the first answer holds for all that follow.
	Dimensions int

	// Auth is the credential, if the endpoint needs one.
	Auth Auth

	// Timeout bounds a call of Embed from dialling to the last byte of the answer. The
	// default is [DefaultTimeout]. An earlier deadline of the caller holds as well.
	Timeout time.Duration

	// RootCAs and Transport are described at [Options].
	RootCAs   *x509.CertPool
	Transport http.RoundTripper
}

// Name returns the model as provider/model.
func (s Settings) Name() string {
	if s.Provider == "" {
		return s.Model
	}
	return s.Provider + "/" + s.Model
}

// WithDefaults checks the settings that mean the same to every embedder, and returns
// them with their defaults. Errors name the setting.
func (s Settings) WithDefaults() (Settings, error) {
	if s.Model == "" {
		return s, errors.New("embeddings model: name is empty")
	}
	if s.Dimensions < 0 {
		return s, fmt.Errorf("embeddings dimensions: got %d, want 0 or more", s.Dimensions)
	}
	if s.Timeout <= 0 {
		s.Timeout = DefaultTimeout
	}
	return s, nil
}
