package provider

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// upstream is an endpoint with the path and the query parameters of a target.
type upstream struct {
	endpoint Endpoint
	path     template // escaped, with a leading slash
	own      []param
}

// newUpstream finds out where a target is, by its provider and its settings.
func newUpstream(s Settings, d dialect) (upstream, error) {
	up, err := defaultUpstream(s, d)
	if err != nil {
		return up, err
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

// defaultUpstream is the provider's own.
func defaultUpstream(s Settings, d dialect) (upstream, error) {
	up := upstream{endpoint: Endpoint{Scheme: "https", Host: d.host, Port: 443}}
	operation, err := d.operation(s.RouteType)
	if err != nil {
		return up, err
	}
	if d.azure {
		return up, up.azure(s, operation)
	}
	if d.host == "" && s.Options.UpstreamURL == "" {
		return up, fmt.Errorf("provider %s: upstream_url is required", s.Provider)
	}
	up.path = literal(d.base + operation)
	return up, nil
}

// azure sets a deployment's path on the instance's host, and the api-version.
func (up *upstream) azure(s Settings, operation string) error {
	o := s.Options
	if o.UpstreamURL == "" {
		if o.AzureInstance == "" || o.AzureDeploymentID == "" {
			return errors.New("azure: azure_instance and azure_deployment_id are required without upstream_url")
		}
		if strings.Trim(strings.ToLower(o.AzureInstance), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return errors.New("azure_instance: want letters, digits and hyphens")
		}
		up.endpoint.Host = strings.ToLower(o.AzureInstance) + ".openai.azure.com"
	}
	deployment, err := escapedTemplate(o.AzureDeploymentID, url.PathEscape)
	if err != nil {
		return fmt.Errorf("azure_deployment_id: %w", err)
	}
	version, err := escapedTemplate(o.AzureAPIVersion, url.QueryEscape)
	if err != nil {
		return fmt.Errorf("azure_api_version: %w", err)
	}
	if version == nil {
		version = literal("2023-05-15")
	}
	p := param{
		name:   "api-version",
		text:   append(literal("api-version="), version...),
		yields: o.AzureAPIVersion == "" || s.OptionsPrecedence == PrecedenceClient,
	}
	up.own = append(up.own, p)
	up.path = append(append(literal("/openai/deployments/"), deployment...), literal(operation)...)
	return nil
}

// escapedTemplate parses a template and escapes its literals.
func escapedTemplate(text string, escape func(string) string) (template, error) {
	t, err := parseTemplate(text)
	for i := range t {
		t[i].literal = escape(t[i].literal)
	}
	return t, err
}

// setURL takes scheme, host and port from a URL and returns its path with its
// query, or empty if it has neither. The URL is in no error: it may hold a
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
		up.own = dropParam(up.own, name)
		up.own = append(up.own, param{name: name, text: t})
	}
	return nil
}

func dropParam(own []param, name string) []param {
	var kept []param
	for _, p := range own {
		if p.name != name {
			kept = append(kept, p)
		}
	}
	return kept
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

// uri is path and query, with what is kept of the client's query in front of the
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

// dotSegment tells whether a path has a "." or ".." segment, which the upstream
// would resolve to another path.
func dotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
