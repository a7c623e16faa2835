package server

import (
	"net/http"
	"net/url"

	"semlb/envoy"
	"semlb/provider"
)

// withCaptures adds the named groups of a path to the headers that attempts get.
func withCaptures(set []envoy.Header, captures map[string]string) ([]envoy.Header, error) {
	if len(captures) == 0 {
		return set, nil
	}
	values := make(url.Values, len(captures))
	for name, value := range captures {
		values.Set(name, value)
	}
	text := values.Encode()
	if len(text) > provider.MaxOriginals {
		return nil, &provider.RequestError{
			Status: http.StatusBadRequest, Code: provider.CodeTooComplex, Message: "what the route captures of the request's path is too long",
		}
	}
	return append(set, envoy.Header{Name: envoy.HeaderCaptures, Value: text}), nil
}

// readCaptures reads what withCaptures wrote.
func readCaptures(x *exchange) (map[string]string, error) {
	values, err := url.ParseQuery(x.header(envoy.HeaderCaptures))
	captures := make(map[string]string, len(values))
	for name := range values {
		captures[name] = values.Get(name)
	}
	return captures, err
}
