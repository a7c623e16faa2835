package provider

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// upstream is an endpoint with the path and the query parameters of a target.
type upstream struct {
	endpoint Endpoint
	path     template // escaped, with a leading slash
	own      []param
}

// newUpstream combines the provider's own site with the target's settings.
func newUpstream(s Settings, site Site) (upstream, error) {
	up := upstream{endpoint: Endpoint{Scheme: "https", Host: site.Host, Port: 443}}
	if site.Host == "" && s.Options.UpstreamURL == "" {
		return up, fmt.Errorf("provider %s: upstream_url is required", s.Provider)
	}
	if err := up.setSite(site); err != nil {
		return up, fmt.Errorf("provider %s: %w", s.Provider, err)
	}
	if s.Options.UpstreamPath != "" {
		if err := up.setPath(s.Options.UpstreamPath); err != nil {
			return up, fmt.Errorf("upstream_path: %w", err)
		}
	}
	if s.Options.UpstreamURL != "" {
		path, err := up.setURL(s.Options.UpstreamURL)
		if err == nil && path != "" {
			err = up.setPath(path)
		}
		if err != nil {
			return up, fmt.Errorf("upstream_url: %w", err)
		}
	}
	if s.BaseURL != "" {
		base, err := up.setURL(s.BaseURL)
		if err == nil && strings.ContainsAny(base, "?$") {
			err = errors.New("query and template are not allowed")
		}
		if err != nil {
			return up, fmt.Errorf("provider url: %w", err)
		}
		up.path = append(literal(strings.TrimSuffix(base, "/")), up.path...)
	}
	return up, up.finish()
}

// setSite sets path and parameters of the provider's own.
func (up *upstream) setSite(site Site) error {
	path, err := parseTemplate(site.Path)
	if err != nil {
		return err
	}
	up.path = path
	for _, p := range site.Params {
		text, err := parseTemplate(url.QueryEscape(p.Name) + "=" + p.Value)
		if err != nil {
			return err
		}
		up.addParam(param{name: p.Name, text: text, yields: p.Yields})
	}
	return nil
}

// setURL takes scheme, host and port from a URL and returns its path with its
// query, or empty if it has neither. Errors do not hold the URL, which may hold a
// secret.
func (up *upstream) setURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "", errors.New("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("scheme must be http or https")
	case u.User != nil || u.Fragment != "" || u.Opaque != "":
		return "", errors.New("user, password and fragment are not allowed")
	case strings.Contains(u.Host, "$("):
		return "", errors.New("a template can stand in the path, not in the host: endpoints are fixed")
	}
	host := strings.ToLower(u.Hostname())
	if err := checkHost(host); err != nil {
		return "", err
	}
	port := defaultPort(u.Scheme)
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return "", errors.New("port must be 1 to 65535")
		}
		port = int(n)
	}
	up.endpoint = Endpoint{Scheme: u.Scheme, Host: host, Port: port}
	path := u.EscapedPath()
	if path == "/" {
		path = ""
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path, nil
}

// setPath sets the path and the parameters of a template "[/path][?query]".
func (up *upstream) setPath(text string) error {
	path, query, _ := strings.Cut(text, "?")
	for _, c := range []byte(text) {
		if c <= ' ' || c >= 0x7f || c == '#' {
			return errors.New("path has characters that must be escaped")
		}
	}
	if path != "" {
		if path[0] != '/' {
			return errors.New("path must begin with a slash")
		}
		t, err := parseTemplate(path)
		if err != nil {
			return err
		}
		up.path = t
	}
	for pair, name := range pairs(query) {
		t, err := parseTemplate(pair)
		if err != nil {
			return err
		}
		up.addParam(param{name: name, text: t})
	}
	return nil
}

// addParam adds a parameter in place of another one of its name.
func (up *upstream) addParam(p param) {
	up.own = slices.DeleteFunc(up.own, func(own param) bool { return own.name == p.name })
	up.own = append(up.own, p)
}

// dynamic reports whether path or parameters depend on the request by a template.
func (up *upstream) dynamic() bool {
	return up.path.dynamic() || slices.ContainsFunc(up.own, func(p param) bool { return p.text.dynamic() })
}

// captures reports whether path or parameters take a named group of the request's path.
func (up *upstream) captures() bool {
	return up.path.captures() || slices.ContainsFunc(up.own, func(p param) bool { return p.text.captures() })
}

// finish joins neighbouring literals, so that a path without sources is one, and
// checks the path.
func (up *upstream) finish() error {
	var joined template
	for _, p := range up.path {
		if n := len(joined); n > 0 && p.source == "" && joined[n-1].source == "" {
			joined[n-1].literal += p.literal
			continue
		}
		joined = append(joined, p)
	}
	up.path = joined
	for _, p := range up.path {
		if dotSegment(p.literal) {
			return errors.New("path has a segment of dots")
		}
	}
	return nil
}

// uri returns path and query: what is kept of the client's query, then the
// target's own parameters.
func (up *upstream) uri(client Client, kept string) (string, error) {
	path, err := up.path.expand(client, url.PathEscape)
	if err != nil {
		return "", err
	}
	if up.path.dynamic() && dotSegment(path) {
		return "", badRequest(CodeInvalidRequest, "request makes a path with a segment of dots")
	}
	query := kept
	for _, p := range up.own {
		if p.yields && hasParam(kept, p.name) {
			continue
		}
		pair, err := p.text.expand(client, url.QueryEscape)
		if err != nil {
			return "", err
		}
		if query != "" {
			query += "&"
		}
		query += pair
	}
	if query != "" {
		path += "?" + query
	}
	return path, nil
}

// dotSegment reports whether a path has a "." or ".." segment, which the upstream
// would resolve to another path.
func dotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
