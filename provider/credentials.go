package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

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

// equal reports whether two credentials are the same.
func (a Auth) equal(b Auth) bool {
	return a.HeaderName == b.HeaderName && a.HeaderValue.Equal(b.HeaderValue) &&
		a.ParamName == b.ParamName && a.ParamValue.Equal(b.ParamValue) &&
		a.ParamLocation == b.ParamLocation && a.AllowOverride == b.AllowOverride
}

// Credentials are the names of headers, query parameters and members of the body
// that hold credentials.
type Credentials struct {
	Headers, QueryParams, BodyParams []string
	// lists are those that targets made of these; nil shares none.
	lists *sharedLists
}

// equal reports whether the names are the same.
func (c Credentials) equal(d Credentials) bool {
	return slices.Equal(c.Headers, d.Headers) && slices.Equal(c.QueryParams, d.QueryParams) && slices.Equal(c.BodyParams, d.BodyParams)
}

// sharedLists keeps each list of names once: most targets of an instance need the same ones.
type sharedLists struct {
	mu   sync.Mutex
	kept map[string][]string
}

// share returns the list that equals names. Nobody may change it.
func (s *sharedLists) share(names []string) []string {
	if s == nil {
		return names
	}
	key := strings.Join(names, "\n") // which is in no name
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept, ok := s.kept[key]; ok {
		return kept
	}
	s.kept[key] = slices.Clone(names) // in no more memory than it needs
	return s.kept[key]
}

// CollectCredentials returns the names that the targets of an instance use for their
// credentials, each once and sorted, with headers in lower case.
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
	// Every target of the instance keeps them, so they must not grow with its targets.
	lists := &sharedLists{kept: make(map[string][]string)}
	return Credentials{
		Headers: lists.share(sortedSet(c.Headers)), QueryParams: lists.share(sortedSet(c.QueryParams)),
		BodyParams: lists.share(sortedSet(c.BodyParams)), lists: lists,
	}
}

// all adds the names of own and the well-known ones.
func (c Credentials) all(own Auth, defaultHeader string) Credentials {
	o := CollectCredentials(own)
	return Credentials{
		Headers:     c.lists.share(lowerSet(c.Headers, o.Headers, []string{defaultHeader}, wire.CredentialHeaders())),
		QueryParams: c.lists.share(lowerSet(c.QueryParams, o.QueryParams, wellKnownParams)),
		BodyParams:  c.lists.share(sortedSet(slices.Concat(c.BodyParams, o.BodyParams))),
		lists:       c.lists,
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

// sortedSet sorts names, and returns each once.
func sortedSet(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
