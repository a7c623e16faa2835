package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"semlb/wire"
)

// The values of [Auth.ParamLocation], named as in the plugin's auth.param_location.
const (
	ParamInQuery = "query"
	ParamInBody  = "body"
)

// Auth is the credential of an endpoint: a header, a parameter, both or none. The names
// are those of the plugin's embeddings.auth.
type Auth struct {
	HeaderName  string
	HeaderValue wire.Secret
	ParamName   string
	ParamValue  wire.Secret
	// ParamLocation is [ParamInQuery] or [ParamInBody]; needed with ParamName.
	ParamLocation string
}

// validate checks the credential for requests with those members.
func (a Auth) validate(members []string) error {
	if (a.HeaderName != "" || !a.HeaderValue.IsZero()) && !wire.ValidHeaderName(a.HeaderName) {
		return fmt.Errorf("embeddings auth.header_name: %q is not a header name", a.HeaderName)
	}
	if !wire.ValidHeaderValue(a.HeaderValue.Reveal()) {
		return errors.New("embeddings auth.header_value: has a control character")
	}
	switch {
	case a.ParamName == "", a.ParamLocation == ParamInQuery:
		return nil
	case a.ParamLocation != ParamInBody:
		return fmt.Errorf("embeddings auth.param_location: got %q, want %q or %q", a.ParamLocation, ParamInQuery, ParamInBody)
	case slices.Contains(members, a.ParamName):
		return fmt.Errorf("embeddings auth.param_name: %q is a member of the request", a.ParamName)
	}
	return nil
}

// ParseURL parses the URL of an endpoint. The scheme is http or https; user information
// and fragments are refused. Errors do not quote the query, which may hold a key.
func ParseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("embeddings URL: cannot be parsed")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("embeddings URL: got scheme %q and host %q, want http or https and a host", u.Scheme, u.Hostname())
	}
	if u.User != nil || u.Fragment != "" {
		return nil, errors.New("embeddings URL: has user information or a fragment; use auth for credentials")
	}
	return u, nil
}

// newTransport returns the default transport. It uses no proxy, keeps few idle
// connections, and connects to no metadata service.
func newTransport(roots *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second, Control: wire.RefuseMetadata}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
