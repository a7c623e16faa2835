package provider

import (
	"fmt"
	"slices"

	"semlb/wire"
)

// Target writes requests for one target of the plugin and meters its answers. It
// is safe for concurrent use.
type Target struct {
	settings   Settings
	dialect    Dialect
	fields     []string // that the dialect may change
	translates bool     // the dialect's answers are not in the client's format

	model      template
	fixedModel string // the model, if it does not depend on the request
	auth       authorizer

	upstream   upstream
	authority  string
	requestURI string   // path and query, if they do not depend on the request
	dropParams []string // query parameters of the client that are not passed on
	keepParams []string // those that are even if their names mean credentials
}

// New checks settings and prepares a target in the dialect that prepare makes of
// them. The error lists what is wrong with the fields, by their names in the
// plugin, and holds no credential.
func New(s Settings, prepare func(Settings) (Dialect, error)) (*Target, error) {
	t, err := newTarget(s, prepare)
	if err != nil {
		return nil, fmt.Errorf("configure target %q: %w", s.ID, err)
	}
	return t, nil
}

func newTarget(s Settings, prepare func(Settings) (Dialect, error)) (*Target, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	d, err := prepare(s)
	if err != nil {
		return nil, err
	}
	site := d.Site()
	up, err := newUpstream(s, site)
	if err != nil {
		return nil, err
	}
	model, err := parseTemplate(s.Model)
	if err != nil {
		return nil, fmt.Errorf("model.name: %w", err)
	}
	t := &Target{
		settings: s, dialect: d, fields: d.Fields(), translates: d.Translator(Answer{}) != nil,
		model: model, auth: newAuthorizer(s.Auth, s.Credentials, site.AuthHeader), upstream: up,
	}
	if !model.dynamic() {
		t.fixedModel = model.text()
	}
	t.prepareURI()
	return t, nil
}

func (t *Target) prepareURI() {
	up := &t.upstream
	if t.auth.param.name != "" {
		up.addParam(t.auth.param)
	}
	t.authority = up.endpoint.Authority()
	if !up.dynamic() {
		t.requestURI, _ = up.uri(Client{}, "") // only templates can fail
	}
	dropped := slices.Clone(t.auth.places.QueryParams)
	for _, p := range up.own {
		if p.yields {
			t.keepParams = append(t.keepParams, p.name)
		} else {
			dropped = append(dropped, p.name)
		}
	}
	t.dropParams = t.auth.places.lists.share(dropped)
}

// drops reports whether a parameter of the client's query is not sent: a credential, in
// any letter case, or one that the target sets itself.
func (t *Target) drops(name string) bool {
	return !slices.Contains(t.keepParams, name) && (containsFold(t.dropParams, name) || wire.NamesCredential(name))
}

// MadeOf reports whether New would make the same target of s.
func (t *Target) MadeOf(s Settings) bool { return t.settings.equal(s) }

// ID is the name of the target in its settings.
func (t *Target) ID() string { return t.settings.ID }

// Endpoint is where the target's requests go.
func (t *Target) Endpoint() Endpoint { return t.upstream.endpoint }

// Name is "provider/model", as in X-Kong-LLM-Model. The model is empty for a
// target that leaves it to the request, and the template itself if it is one;
// [Rewrite.Model] is the model of a request.
func (t *Target) Name() string { return t.settings.Provider + "/" + t.settings.Model }

// Translator returns a new translator for one answer of the target, or nil if its
// answers pass untouched, see [Dialect].
func (t *Target) Translator(a Answer) Translator { return t.dialect.Translator(a) }

// Meter returns a new meter for one answer of the target, see [Dialect].
func (t *Target) Meter(a Answer) Meter { return t.dialect.Meter(a) }

// Fields are the members of the body that [Target.Rewrite] may set or remove.
func (t *Target) Fields() []Field {
	var fields []Field
	for _, name := range t.fields {
		fields = append(fields, Field{Name: name})
	}
	for _, name := range t.auth.places.BodyParams {
		fields = append(fields, Field{Name: name, Credential: true})
	}
	return fields
}

// ModelByRequest reports whether the target's model is a template, which takes values of
// the request.
func (t *Target) ModelByRequest() bool { return t.model.dynamic() }

// Captures reports whether the target's rewrites take [Client.Captures].
func (t *Target) Captures() bool { return t.model.captures() || t.upstream.captures() }

// NeedsOriginal reports whether a plan with this target needs more of the client's
// request than [EncodeOriginals] carries: the whole body, if the target has a
// [Translator]; a value for a template; or a credential of the client's own that the
// target passes on. Every attempt of such a plan must start from the client's request
// itself, read by [ReadRequest], to which no rewrite has been applied.
func (t *Target) NeedsOriginal(req *Request, client Client) bool {
	return t.translates || t.model.dynamic() || t.upstream.dynamic() || t.auth.keepsClients(req, client)
}
