package provider

import "slices"

// Client is what a target may use of the client's request, besides the body.
type Client struct {
	// Query is the raw query string the client sent, without "?".
	Query string
	// Header returns the client's value of a header, by its lower-case name. Nil
	// means no headers.
	Header func(name string) (string, bool)
	// Captures are the named groups of the path of the route that the request matched.
	Captures map[string]string
}

func (c Client) header(name string) string {
	if c.Header == nil || name == "" {
		return ""
	}
	value, _ := c.Header(name)
	return value
}

// Without hides the headers and query parameters with these names, which must be in
// lower case.
func (c Client) Without(names ...string) Client {
	header := c.Header
	c.Query = keepQuery(c.Query, func(name string) bool { return containsFold(names, name) })
	c.Header = func(name string) (string, bool) {
		if header == nil || slices.Contains(names, name) {
			return "", false
		}
		return header(name)
	}
	return c
}
