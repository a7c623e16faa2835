package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"semlb/wire"
)

// Header is a request header to set.
type Header struct {
	Name  string // lower case
	Value wire.Secret
}

// Auth is a target's credential, the plugin's auth. It may be a header, a parameter
// or both.
type Auth struct {
	// HeaderName is the header that holds the credential; empty means that of the
	// provider. HeaderValue is the whole value, including a scheme such as Bearer.
	HeaderName  string
	HeaderValue wire.Secret

	// ParamName and ParamValue are a credential in ParamLocation: "query", the
	// default, or "body".
	ParamName     string
	ParamValue    wire.Secret
	ParamLocation string

	// AllowOverride means that a credential of the client in the same place wins.
	AllowOverride bool
}

// check finds the faults of a credential, without revealing it.
func (a Auth) check(bodyParams []string) error {
	var faults []error
	if a.HeaderName != "" && !settable(a.HeaderName) {
		faults = append(faults, fmt.Errorf("auth.header_name: %q cannot be set", a.HeaderName))
	}
	if !wire.ValidHeaderValue(a.HeaderValue.Reveal()) {
		faults = append(faults, errors.New("auth.header_value: has characters that a header cannot have"))
	}
	if (a.ParamName == "") != a.ParamValue.IsZero() {
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

// settable reports whether Envoy and HTTP let a target set a header.
func settable(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "host", "content-length", "content-type", "transfer-encoding", "connection", "te", "upgrade":
		return false
	}
	return wire.ValidHeaderName(name) && !strings.HasPrefix(name, "x-envoy-") && !strings.HasPrefix(name, "x-semlb-")
}

// Credentials are the names of headers, query parameters and members of the body
// that hold credentials.
type Credentials struct {
	Headers, QueryParams, BodyParams []string
}

// CollectCredentials returns the names that the targets of an instance use for their
// credentials, with headers in lower case.
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

// all adds the names of own and the well-known ones.
func (c Credentials) all(own Auth, defaultHeader string) Credentials {
	o := CollectCredentials(own)
	return Credentials{
		Headers:     lowerSet(c.Headers, o.Headers, []string{defaultHeader}, wire.CredentialHeaders()),
		QueryParams: lowerSet(c.QueryParams, o.QueryParams, wellKnownParams),
		BodyParams:  sortedSet(slices.Concat(c.BodyParams, o.BodyParams)),
	}
}

// wellKnownParams are query parameters with credentials of clients, for gateways and
// providers in general use. [wire.CredentialHeaders] has the headers.
var wellKnownParams = []string{
	"key", "api-key", "api_key", "apikey", "access_token", "auth_token", "id_token", "subscription-key",
}

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
