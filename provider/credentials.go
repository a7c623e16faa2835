package provider

import (
	"errors"
	"fmt"
	"net/url"
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
		Headers:     lowerSet(c.Headers, o.Headers, []string{defaultHeader}, wellKnownHeaders),
		QueryParams: lowerSet(c.QueryParams, o.QueryParams, wellKnownParams),
		BodyParams:  sortedSet(slices.Concat(c.BodyParams, o.BodyParams)),
	}
}

// wellKnownHeaders and wellKnownParams hold the credentials of clients for gateways
// and providers in general use.
var (
	wellKnownHeaders = []string{
		"authorization", "proxy-authorization", "api-key", "apikey", "x-api-key",
		"x-goog-api-key", "x-amz-security-token",
	}
	wellKnownParams = []string{"key", "api-key", "api_key", "apikey", "access_token"}
)

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

// authorizer sets the credential of one target in requests and removes those of
// all others.
type authorizer struct {
	places   Credentials // of the whole instance, with the well-known ones
	override bool        // the client's own credential wins

	header     string   // that holds the credential; empty if this target uses none
	set        []Header // the credential
	foreign    []string // credential headers of others
	allHeaders []string // foreign and header

	param        param  // the credential in the query; no name if there is none
	body         Edit   // the credential in the body; no name if there is none
	edits        []Edit // of all credentials in the body
	foreignEdits []Edit // the same without the target's own
}

func newAuthorizer(a Auth, others Credentials, defaultHeader string) authorizer {
	au := authorizer{places: others.all(a, defaultHeader), override: a.AllowOverride}
	au.header = strings.ToLower(a.HeaderName)
	if au.header == "" && (!a.HeaderValue.IsZero() || a.AllowOverride) {
		au.header = defaultHeader
	}
	if !a.HeaderValue.IsZero() {
		au.set = []Header{{Name: au.header, Value: a.HeaderValue}}
	}
	au.allHeaders = au.places.Headers
	for _, name := range au.places.Headers {
		if name != au.header {
			au.foreign = append(au.foreign, name)
		}
	}
	switch {
	case a.ParamName == "":
	case a.ParamLocation == "body":
		au.body = Edit{Name: a.ParamName, Raw: appendQuote(nil, a.ParamValue.Reveal())}
	default:
		pair := url.QueryEscape(a.ParamName) + "=" + url.QueryEscape(a.ParamValue.Reveal())
		au.param = param{name: a.ParamName, text: literal(pair), yields: a.AllowOverride}
	}
	au.prepareEdits()
	return au
}

func (au *authorizer) prepareEdits() {
	for _, name := range au.places.BodyParams {
		if name == au.body.Name {
			au.edits = append(au.edits, au.body)
			continue
		}
		au.edits = append(au.edits, Edit{Name: name})
		au.foreignEdits = append(au.foreignEdits, Edit{Name: name})
	}
}

// headers returns the headers to set and to remove. In a request of [ReadAttempt]
// no credential is the client's own: an earlier target has set it.
func (au *authorizer) headers(req *Request, client Client) (set []Header, remove []string) {
	switch {
	case au.override && !req.restored && client.header(au.header) != "":
		return nil, au.foreign
	case au.set != nil:
		return au.set, au.foreign
	}
	return nil, au.allHeaders
}

// bodyEdits sets the target's credential in the body and removes all others.
func (au *authorizer) bodyEdits(req *Request) []Edit {
	if au.override && au.body.Name != "" && req.Sent(au.body.Name) != nil {
		return au.foreignEdits
	}
	return au.edits
}

// keepsClients reports whether the client sent a credential of its own that this
// target passes on.
func (au *authorizer) keepsClients(req *Request, client Client) bool {
	if !au.override {
		return false
	}
	return client.header(au.header) != "" ||
		au.param.name != "" && hasParam(client.Query, au.param.name) ||
		au.body.Name != "" && req.Sent(au.body.Name) != nil
}
