package embeddings

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// The places of [Auth.ParamName], named as in the plugin's auth.param_location.
const (
	ParamInQuery = "query"
	ParamInBody  = "body"
)

// Auth is the credential of an endpoint: a header, a parameter, both or none.
// The names are those of the plugin's embeddings.auth. It prints as "[redacted]".
type Auth struct {
	HeaderName, HeaderValue string
	ParamName, ParamValue   string
	// ParamLocation is [ParamInQuery] or [ParamInBody]; needed with ParamName.
	ParamLocation string
}

// String hides the values.
func (Auth) String() string { return "[redacted]" }

// GoString hides the values from %#v.
func (Auth) GoString() string { return "embeddings.Auth{[redacted]}" }

// LogValue hides the values from slog.
func (Auth) LogValue() slog.Value { return slog.StringValue("[redacted]") }

func (a Auth) validate() error {
	if strings.ContainsFunc(a.HeaderName, notToken) || a.HeaderName == "" && a.HeaderValue != "" {
		return fmt.Errorf("embeddings auth.header_name: %q is no header name", a.HeaderName)
	}
	if strings.ContainsFunc(a.HeaderValue, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errors.New("embeddings auth.header_value: has a control character")
	}
	if a.ParamName == "" {
		return nil
	}
	switch a.ParamLocation {
	case ParamInQuery:
	case ParamInBody:
		switch a.ParamName {
		case "input", "model", "encoding_format", "dimensions":
			return fmt.Errorf("embeddings auth.param_name: %q is a field of the request", a.ParamName)
		}
	default:
		return fmt.Errorf("embeddings auth.param_location: got %q, want %q or %q", a.ParamLocation, ParamInQuery, ParamInBody)
	}
	return nil
}

func notToken(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

// endpoint is the whole URL to ask, and the credential.
type endpoint struct {
	url  *url.URL
	auth Auth
}

func newEndpoint(raw string, auth Auth) (endpoint, error) {
	u, err := url.Parse(raw)
	if err != nil {
		// The parser's error quotes the URL, whose query may hold a key.
		return endpoint{}, errors.New("embeddings URL: cannot be parsed")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return endpoint{}, fmt.Errorf("embeddings URL: got scheme %q and host %q, want http or https and a host", u.Scheme, u.Hostname())
	}
	if u.User != nil || u.Fragment != "" {
		return endpoint{}, errors.New("embeddings URL: has user information or a fragment; use auth for credentials")
	}
	if err := auth.validate(); err != nil {
		return endpoint{}, err
	}
	switch path := strings.TrimRight(u.Path, "/"); {
	case path == "":
		u.Path, u.RawPath = "/v1/embeddings", ""
	case strings.HasSuffix(path, "/v1"):
		u = u.JoinPath("embeddings")
	}
	if auth.ParamName != "" && auth.ParamLocation == ParamInQuery {
		query := u.Query()
		query.Set(auth.ParamName, auth.ParamValue)
		u.RawQuery = query.Encode()
	}
	return endpoint{url: u, auth: auth}, nil
}

// address points req at the endpoint and gives it the credential.
func (e endpoint) address(req *http.Request) {
	target := *e.url
	req.URL, req.Host = &target, ""
	req.Header.Set("User-Agent", "semlb")
	if e.auth.HeaderName != "" {
		req.Header.Set(e.auth.HeaderName, e.auth.HeaderValue)
	}
}

// secrets are the values that must not come back in an error.
func (e endpoint) secrets() []string {
	return []string{e.auth.HeaderValue, e.auth.ParamValue, e.url.RawQuery}
}

// newTransport sends without a proxy, keeps few idle connections, and connects
// to no metadata service.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second, Control: refuseMetadata}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

var errMetadata = errors.New("address belongs to a metadata service")

// refuseMetadata looks at the address that is really dialled, so that no name
// can be made to point there.
func refuseMetadata(_, address string, _ syscall.RawConn) error {
	where, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("parse address: %w", err)
	}
	addr := where.Addr().Unmap()
	switch {
	case addr.IsLinkLocalUnicast(),
		addr.WithZone("") == netip.MustParseAddr("fd00:ec2::254"),
		addr == netip.MustParseAddr("100.100.100.200"):
		return errMetadata
	}
	return nil
}
