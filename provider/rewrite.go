package provider

import (
	"errors"
	"slices"

	"semlb/wire"
)

// Rewrite is a client's request as it is sent to one target. Its slices may be
// shared and must not be changed.
type Rewrite struct {
	Scheme    string
	Authority string
	Path      string // with the query

	// SetHeaders are the target's credentials. They replace the client's fields of
	// the same names.
	SetHeaders []Header
	// RemoveHeaders are the credential headers of others, sorted and in lower case: the
	// client's with its account, and those that an earlier attempt may have left.
	RemoveHeaders []string
	// ownHeader is the one that holds the target's credential.
	ownHeader string

	// Body is the request's own where nothing changed.
	Body []byte
	// Model is the name of the model that serves, without the provider.
	Model string
}

// Removes reports whether a header of the request that a target gets is to be removed: one
// of RemoveHeaders, or one that holds a credential by its name, see
// [wire.NamesCredential]. The name is in lower case.
func (r *Rewrite) Removes(name string) bool {
	_, listed := slices.BinarySearch(r.RemoveHeaders, name)
	return listed || name != r.ownHeader && wire.NamesCredential(name)
}

// Rewrite writes a request for the target. Its error is a [*RequestError] if the
// client's request is at fault.
//
// In a request of [ReadAttempt] a credential is one of an earlier attempt, so none
// counts as the client's own, and a target with templates refuses it.
func (t *Target) Rewrite(req *Request, client Client) (Rewrite, error) {
	model, err := t.modelFor(req, client)
	if err != nil {
		return Rewrite{}, err
	}
	uri, err := t.uriFor(client)
	if err != nil {
		return Rewrite{}, err
	}
	body, err := t.dialect.Body(req, model, t.auth.bodyEdits(req))
	if err != nil {
		return Rewrite{}, err
	}
	set, remove := t.auth.headers(req, client)
	return Rewrite{
		Scheme:        t.upstream.endpoint.Scheme,
		Authority:     t.authority,
		Path:          uri,
		SetHeaders:    set,
		RemoveHeaders: remove,
		ownHeader:     t.auth.header,
		Body:          body,
		Model:         model,
	}, nil
}

// Fits returns the error with which [Target.Rewrite] refuses the model or the path of a
// client's own request, or nil.
func (t *Target) Fits(req *Request, client Client) error {
	if _, err := t.modelFor(req, client); err != nil {
		return err
	}
	if !t.upstream.dynamic() {
		return nil
	}
	_, err := t.uriFor(client)
	return err
}

// modelFor returns the model that serves: the target's, or else the request's.
func (t *Target) modelFor(req *Request, client Client) (string, error) {
	if req.restored && (t.model.dynamic() || t.upstream.dynamic()) {
		return "", errors.New("rewrite request: a target with templates needs the client's original")
	}
	if t.fixedModel != "" {
		return t.fixedModel, nil
	}
	model := req.Model
	if t.model.dynamic() {
		var err error
		if model, err = t.model.expand(client, unescaped); err != nil {
			return "", err
		}
	}
	if model == "" {
		return "", badRequest(CodeInvalidRequest, "request names no model and the target has none of its own")
	}
	// The name goes into a response header, a path and logs.
	if len(model) > MaxScalar || !wire.ValidHeaderValue(model) {
		return "", badRequest(CodeInvalidRequest, "model has characters that a name cannot have, or is too long")
	}
	return model, nil
}

func unescaped(s string) string { return s }

// uriFor returns path and query for the client's request.
func (t *Target) uriFor(client Client) (string, error) {
	if client.Query == "" && t.requestURI != "" {
		return t.requestURI, nil
	}
	return t.upstream.uri(client, keepQuery(client.Query, t.drops))
}
