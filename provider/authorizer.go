package provider

import (
	"net/url"
	"slices"
	"strings"

	"semlb/wire"
)

// authorizer sets the credential of one target in requests and removes those of
// all others.
type authorizer struct {
	places   Credentials // of the whole instance, with the well-known ones
	override bool        // the client's own credential wins

	header  string   // that holds the credential; empty if this target uses none
	set     []Header // the credential
	foreign removal  // credential headers of others
	every   removal  // foreign and header

	param        param  // the credential in the query; no name if there is none
	body         Edit   // the credential in the body; no name if there is none
	edits        []Edit // of all credentials in the body
	foreignEdits []Edit // the same without the target's own
}

// removal are headers to remove: credentials alone, or with the headers that name the
// account of a client's credential.
type removal struct{ credentials, withAccounts []string }

// removalOf removes the credentials in places; header, if any, is the target's own and stays.
func removalOf(places Credentials, header string) removal {
	own := func(name string) bool { return name == header }
	credentials := slices.DeleteFunc(slices.Clone(places.Headers), own)
	accounts := slices.DeleteFunc(wire.AccountHeaders(), own)
	return removal{places.lists.share(credentials), places.lists.share(lowerSet(credentials, accounts))}
}

func newAuthorizer(a Auth, others Credentials, defaultHeader string) authorizer {
	au := authorizer{places: others.all(a, defaultHeader), override: a.AllowOverride}
	au.header = strings.ToLower(a.HeaderName)
	if au.header == "" && (!a.HeaderValue.IsZero() || a.AllowOverride && a.ParamName == "") {
		au.header = defaultHeader // where a client's credential is sought if the target has none itself
	}
	if !a.HeaderValue.IsZero() {
		au.set = []Header{{Name: au.header, Value: a.HeaderValue}}
	}
	au.every = removalOf(au.places, "")
	au.foreign = removalOf(au.places, au.header)
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
	removed := au.foreign
	switch {
	case au.override && !req.restored && client.header(au.header) != "":
	case au.set != nil:
		set = au.set
	default:
		removed = au.every
	}
	if au.onlyClients(req, client) {
		return set, removed.credentials
	}
	return set, removed.withAccounts
}

// onlyClients reports whether the credential of a request is the client's own in each
// place, so that the account is the client's too.
func (au *authorizer) onlyClients(req *Request, client Client) bool {
	configured := au.set != nil && client.header(au.header) == "" ||
		au.param.name != "" && !sendsParam(client.Query, au.param.name) ||
		au.body.Name != "" && req.Sent(au.body.Name) == nil
	return !configured && !req.restored && au.keepsClients(req, client)
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
		au.param.name != "" && sendsParam(client.Query, au.param.name) ||
		au.body.Name != "" && req.Sent(au.body.Name) != nil
}
