package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/net/http/httpguts"
)

// The values of options_precedence, an extension of the plugin.
const (
	// PrecedenceConfig, which empty means as well, lets configured options win.
	PrecedenceConfig = "config"
	// PrecedenceClient lets an option that the client sent win.
	PrecedenceClient = "client"
)

// Settings configure a [Target]. They hold one target of the plugin, and what
// the target must know of its instance.
type Settings struct {
	ID        string // names the target in errors
	Provider  string // the plugin's model.provider
	Model     string // model.name, a template; empty means the request's own
	RouteType string // route_type
	Options   Options
	Auth      Auth

	// BaseURL, scheme://host[:port][/base], takes the place of scheme, host and
	// port of the provider and of upstream_url, so that nothing leaves for them;
	// base goes in front of the path.
	BaseURL string
	// OptionsPrecedence is PrecedenceConfig or PrecedenceClient.
	OptionsPrecedence string
	// ResponseStreaming is the instance's response_streaming.
	ResponseStreaming Streaming
	// Credentials are those of all targets of the instance, which this one must
	// not pass on. [CollectCredentials] makes them.
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
	// UpstreamURL. Empty AzureAPIVersion means 2023-05-15, or the client's own.
	AzureInstance, AzureDeploymentID, AzureAPIVersion string

	// DashscopeInternational is true by default in the plugin's schema.
	DashscopeInternational bool
	// MistralFormat is "openai", or empty for the same.
	MistralFormat string
}

// Credentials are names under which credentials travel.
type Credentials struct {
	Headers, QueryParams, BodyParams []string
}

// CollectCredentials gathers the names that the targets of an instance use for
// their credentials, in lower case for headers.
func CollectCredentials(auths ...Auth) Credentials {
	var c Credentials
	for _, a := range auths {
		if a.HeaderName != "" {
			c.Headers = append(c.Headers, strings.ToLower(a.HeaderName))
		}
		switch {
		case a.ParamName == "":
		case a.ParamLocation == "body":
			c.BodyParams = append(c.BodyParams, a.ParamName)
		default:
			c.QueryParams = append(c.QueryParams, a.ParamName)
		}
	}
	return c
}

// all adds to c the names of own and those everybody uses.
func (c Credentials) all(own Auth, defaultHeader string) Credentials {
	o := CollectCredentials(own)
	return Credentials{
		Headers:     lowerSet(c.Headers, o.Headers, []string{defaultHeader}, wellKnownHeaders()),
		QueryParams: lowerSet(c.QueryParams, o.QueryParams, []string{"key", "api-key", "api_key", "apikey", "access_token"}),
		BodyParams:  sortedSet(slices.Concat(c.BodyParams, o.BodyParams)),
	}
}

// wellKnownHeaders carry credentials of clients to gateways and providers.
func wellKnownHeaders() []string {
	return []string{
		"authorization", "proxy-authorization", "api-key", "apikey", "x-api-key",
		"x-goog-api-key", "x-amz-security-token",
	}
}

func isCredentialHeader(name string) bool { return slices.Contains(wellKnownHeaders(), name) }

func lowerSet(lists ...[]string) []string {
	all := slices.Concat(lists...)
	for i := range all {
		all[i] = strings.ToLower(all[i])
	}
	return sortedSet(all)
}

func sortedSet(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// check finds the faults of settings that need no more than a look.
func (s Settings) check() error {
	var faults []error
	for _, o := range s.options() {
		if o.Raw != nil && (!jsontext.Value(o.Raw).IsValid() || jsontext.Value(o.Raw).Kind() != '0') {
			faults = append(faults, fmt.Errorf("%s: got %q, want a number", o.Name, o.Raw))
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

// options are the configured options that are members of the body as they are.
func (s Settings) options() []Edit {
	raw := func(text string) []byte {
		if text == "" {
			return nil
		}
		return []byte(text)
	}
	return []Edit{
		{"temperature", raw(s.Options.Temperature)},
		{"top_p", raw(s.Options.TopP)},
		{"top_k", raw(s.Options.TopK)},
		{"max_tokens", raw(s.Options.MaxTokens)},
	}
}

// check finds the faults of a credential, without telling it.
func (a Auth) check(bodyParams []string) error {
	var faults []error
	if a.HeaderName != "" && !settable(a.HeaderName) {
		faults = append(faults, fmt.Errorf("auth.header_name: %q cannot be set", a.HeaderName))
	}
	if !httpguts.ValidHeaderFieldValue(string(a.HeaderValue)) {
		faults = append(faults, errors.New("auth.header_value: has characters that a header cannot have"))
	}
	if (a.ParamName == "") != (a.ParamValue == "") {
		faults = append(faults, errors.New("auth: param_name and param_value need each other"))
	}
	switch a.ParamLocation {
	case "", "query", "body":
	default:
		faults = append(faults, fmt.Errorf("auth.param_location: got %q, want query or body", a.ParamLocation))
	}
	for _, name := range slices.Concat(bodyParams, CollectCredentials(a).BodyParams) {
		if field, err := reservedField(appendQuote(nil, name)); field != "" || err != nil {
			faults = append(faults, fmt.Errorf("auth.param_name: %q is a field of the request", name))
		}
	}
	return errors.Join(faults...)
}

// settable tells whether Envoy lets a header be set, and the connection allows.
func settable(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "host", "content-length", "content-type", "transfer-encoding", "connection", "te", "upgrade":
		return false
	}
	return httpguts.ValidHeaderFieldName(name) && !strings.HasPrefix(name, "x-envoy-") && !strings.HasPrefix(name, "x-semlb-")
}
