package provider

import (
	"errors"

	"golang.org/x/net/http/httpguts"
)

// Rewrite is a client's request as it is sent to one target. Its slices may be
// shared and must not be changed.
type Rewrite struct {
	Scheme    string
	Authority string
	Path      string // with the query

	// SetHeaders are the target's credentials, to be set over what is there.
	SetHeaders []Header
	// RemoveHeaders are the credentials of others, in lower case: the client's, and
	// those an earlier attempt may have left.
	RemoveHeaders []string

	// Body is the request's own where nothing changed.
	Body []byte
	// Model is the name of the model that serves, without the provider.
	Model string
}

// Rewrite writes a request for the target. Its error is a [*RequestError] where
// the client's request is at fault.
//
// A request of [ReadAttempt] carries credentials of earlier attempts, so in it
// none is taken for the client's own; it is an error for a target with
// templates.
func (t *Target) Rewrite(req *Request, client Client) (Rewrite, error) {
	model, err := t.modelFor(req, client)
	if err != nil {
		return Rewrite{}, err
	}
	uri, err := t.uriFor(client)
	if err != nil {
		return Rewrite{}, err
	}
	var buf [16]Edit
	body, err := req.Edit(t.edits(buf[:0], req, model)...)
	if err != nil {
		return Rewrite{}, err
	}
	w := Rewrite{
		Scheme:        t.upstream.endpoint.Scheme,
		Authority:     t.authority,
		Path:          uri,
		RemoveHeaders: t.allHeaders,
		Body:          body,
		Model:         model,
	}
	switch {
	case t.keepsHeader(req, client):
		w.RemoveHeaders = t.foreign
	case t.setAuth != nil:
		w.SetHeaders, w.RemoveHeaders = t.setAuth, t.foreign
	}
	return w, nil
}

// keepsHeader tells whether the client's own credential is passed on.
func (t *Target) keepsHeader(req *Request, client Client) bool {
	return t.settings.Auth.AllowOverride && !req.restored && client.header(t.authHeader) != ""
}

// modelFor is the model that serves: the target's, or else the request's.
func (t *Target) modelFor(req *Request, client Client) (string, error) {
	if req.restored && (t.model.dynamic() || t.upstream.dynamic()) {
		return "", errors.New("rewrite request: a target with templates needs the client's original")
	}
	if t.modelRaw != nil {
		return t.model.text(), nil
	}
	model := req.Model
	if len(t.model) > 0 {
		var err error
		if model, err = t.model.expand(client, unescaped); err != nil {
			return "", err
		}
	}
	if model == "" {
		return "", badRequest(CodeInvalidRequest, "request names no model and the target has none of its own")
	}
	// The name goes into a response header, a path and logs.
	if len(model) > MaxScalar || !httpguts.ValidHeaderFieldValue(model) {
		return "", badRequest(CodeInvalidRequest, "model has characters that a name cannot have, or is too long")
	}
	return model, nil
}

func unescaped(s string) string { return s }

// uriFor is path and query for the client's request.
func (t *Target) uriFor(client Client) (string, error) {
	if client.Query == "" && t.requestURI != "" {
		return t.requestURI, nil
	}
	return t.upstream.uri(client, keepQuery(client.Query, t.dropParams))
}

// edits appends what the target changes in the body.
func (t *Target) edits(edits []Edit, req *Request, model string) []Edit {
	switch {
	case t.modelRaw != nil:
		edits = append(edits, Edit{"model", t.modelRaw})
	case len(t.model) > 0:
		edits = append(edits, Edit{"model", appendQuote(nil, model)})
	}
	for _, o := range t.options {
		if !t.clientFirst() || req.sent(o.Name) == nil {
			edits = append(edits, o)
		}
	}
	edits = t.limitEdits(edits, req, model)
	if t.settings.ResponseStreaming == StreamingAlways {
		edits = append(edits, Edit{"stream", []byte("true")})
	}
	return t.credentialEdits(edits, req)
}

func (t *Target) clientFirst() bool { return t.settings.OptionsPrecedence == PrecedenceClient }

// limitEdits sets the limit of tokens, under the one name that the model takes:
// both names at once are refused by OpenAI.
func (t *Target) limitEdits(edits []Edit, req *Request, model string) []Edit {
	field, other, exclusive := t.dialect.limitField(t.settings.RouteType, model)
	own, others := req.sent(field), []byte(nil)
	if other != "" {
		others = req.sent(other)
	}
	sent := own != nil || others != nil
	switch {
	case t.limit != nil && (!sent || !t.clientFirst()):
		edits = append(edits, Edit{field, t.limit})
		if other != "" {
			edits = append(edits, Edit{Name: other})
		}
	case exclusive && own == nil && others != nil:
		edits = append(edits, Edit{field, others}, Edit{Name: other})
	case exclusive && others != nil:
		edits = append(edits, Edit{Name: other})
	}
	return edits
}

// credentialEdits sets the target's credential where it is a member of the body,
// and removes those of others.
func (t *Target) credentialEdits(edits []Edit, req *Request) []Edit {
	for _, name := range t.credentials.BodyParams {
		switch {
		case name != t.bodyParam.Name:
			edits = append(edits, Edit{Name: name})
		case !t.settings.Auth.AllowOverride || req.sent(name) == nil:
			edits = append(edits, t.bodyParam)
		}
	}
	return edits
}
