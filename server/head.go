package server

import (
	"fmt"
	"net/http"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"semlb/envoy"
	"semlb/provider"
	"semlb/wire"
)

// checkHead refuses a head that may be read in two ways, and one to which the plan could not
// be added.
func (x *exchange) checkHead() error {
	if err := checkPath(x.header(":path")); err != nil {
		return err
	}
	if strings.Contains(x.header(":authority"), ",") { // as Envoy joins them
		return duplicated("host")
	}
	return checkSize(x.headers)
}

// checkPath refuses a path without a normal form: the routes of Envoy and of proxies before
// it may not agree on what it is.
func checkPath(path string) error {
	path, _, _ = strings.Cut(path, "?")
	if _, ok := wire.NormalPath(path); ok {
		return nil
	}
	return &provider.RequestError{
		Status: http.StatusBadRequest, Code: codePath,
		Message: "the request's path has a backslash, a control character, a '#', a '..;' or a '%' that encodes nothing, or it begins with no slash",
	}
}

func checkSize(headers []*corev3.HeaderValue) error {
	count, size := 0, 0
	for _, h := range headers {
		size += len(h.GetKey()) + len(h.GetRawValue()) + len(h.GetValue())
		if !strings.HasPrefix(h.GetKey(), ":") {
			count++
		}
	}
	if count <= envoy.MaxHeaders && size <= envoy.MaxHeaderBytes {
		return nil
	}
	return &provider.RequestError{
		Status: http.StatusRequestHeaderFieldsTooLarge, Code: codeHeaders,
		Message: fmt.Sprintf("the request has more than %d headers, or more than %d bytes of them", envoy.MaxHeaders, envoy.MaxHeaderBytes),
	}
}

// checkCredentials refuses two credentials in one header, whoever they are for: this server
// and what is behind it may not take the same one.
func (x *exchange) checkCredentials() error {
	for _, h := range x.headers {
		name := h.GetKey()
		if !wire.IsCredentialHeader(name) || isList(name) {
			continue
		}
		if values := x.values(name); len(values) > 1 || isJoined(values[0]) {
			return duplicated(name)
		}
	}
	return nil
}

// isList reports whether a header with a credential or an identity may be repeated.
func isList(name string) bool {
	switch name {
	case "cookie", "cookie2", "x-forwarded-groups", "remote-groups", "x-remote-group":
		return true
	default:
		return false
	}
}

// isJoined reports whether a value is two credentials that Envoy has joined. Credentials of
// these schemes have no comma (RFC 7617, RFC 6750).
func isJoined(credential string) bool {
	scheme, rest, _ := strings.Cut(credential, " ")
	return (strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "basic")) && strings.Contains(rest, ",")
}

func duplicated(name string) error {
	return &provider.RequestError{
		Status: http.StatusBadRequest, Code: codeDuplicate, Message: "the request has the header " + name + " more than once",
	}
}
