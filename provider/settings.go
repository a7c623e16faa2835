package provider

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// The values of options_precedence, an extension of the plugin.
const (
	// PrecedenceConfig, the default, means that configured options win.
	PrecedenceConfig = "config"
	// PrecedenceClient means that options of the client win.
	PrecedenceClient = "client"
)

// Settings configure a [Target]: the fields of one target of the plugin, and the
// fields of its instance that affect requests.
type Settings struct {
	ID        string // names the target in errors
	Provider  string // the plugin's model.provider
	Model     string // model.name, a template; empty means the request's own
	RouteType string // route_type
	Options   Options
	Auth      Auth

	// BaseURL, scheme://host[:port][/base], replaces scheme, host and port of the
	// provider and of upstream_url, so that no request reaches them; base is
	// prepended to the path.
	BaseURL string
	// OptionsPrecedence is PrecedenceConfig or PrecedenceClient.
	OptionsPrecedence string
	// ResponseStreaming is the instance's response_streaming.
	ResponseStreaming Streaming
	// Credentials are those of all targets of the instance, see
	// [CollectCredentials]. The target removes the ones it does not use itself.
	Credentials Credentials
}

// Options are the plugin's model.options. Numbers are JSON text, such as "1.0",
// and reach the provider as they are written; empty means not configured.
type Options struct {
	MaxTokens, Temperature, TopP, TopK string

	// UpstreamURL replaces scheme, host and port, and the path if it has one that
	// is not "/". UpstreamPath (deprecated) replaces the path. Their paths may be
	// templates.
	UpstreamURL, UpstreamPath string

	// AzureInstance and AzureDeploymentID are required for azure without an
	// UpstreamURL. AzureAPIVersion that is empty or the schema's default, 2023-05-15, yields
	// to the client's own.
	AzureInstance, AzureDeploymentID, AzureAPIVersion string

	// DashscopeInternational is true by default in the plugin's schema.
	DashscopeInternational bool
	// MistralFormat is "openai" or empty, which means the same.
	MistralFormat string
}

// equal reports whether two settings are the same.
func (s Settings) equal(o Settings) bool {
	return s.ID == o.ID && s.Provider == o.Provider && s.Model == o.Model && s.RouteType == o.RouteType &&
		s.Options == o.Options && s.Auth.equal(o.Auth) && s.BaseURL == o.BaseURL &&
		s.OptionsPrecedence == o.OptionsPrecedence && s.ResponseStreaming == o.ResponseStreaming && s.Credentials.equal(o.Credentials)
}

// check finds the faults that do not depend on the provider.
func (s Settings) check() error {
	var faults []error
	for _, o := range []struct{ name, value string }{
		{"temperature", s.Options.Temperature},
		{"top_p", s.Options.TopP},
		{"top_k", s.Options.TopK},
		{"max_tokens", s.Options.MaxTokens},
	} {
		if raw := jsontext.Value(o.value); o.value != "" && (!raw.IsValid() || raw.Kind() != '0') {
			faults = append(faults, fmt.Errorf("%s: got %q, want a number", o.name, o.value))
		}
	}
	if p := s.OptionsPrecedence; p != "" && p != PrecedenceConfig && p != PrecedenceClient {
		faults = append(faults, fmt.Errorf("options_precedence: got %q, want config or client", p))
	}
	switch s.ResponseStreaming {
	case "", StreamingAllow, StreamingDeny, StreamingAlways:
	default:
		faults = append(faults, fmt.Errorf("response_streaming: got %q, want allow, deny or always", s.ResponseStreaming))
	}
	return errors.Join(append(faults, s.Auth.check(s.Credentials.BodyParams))...)
}
