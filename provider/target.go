package provider

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Target writes requests for one target of the plugin. It is safe for concurrent
// use.
type Target struct {
	settings    Settings
	dialect     dialect
	upstream    upstream
	credentials Credentials // of the whole instance, with the well-known ones

	model    template
	modelRaw []byte // the model as JSON, if it is no template
	options  []Edit // temperature, top_p, top_k
	limit    []byte // configured max_tokens

	authHeader string   // its name; empty if this target uses none
	setAuth    []Header // the credential
	bodyParam  Edit     // the credential in the body; no name if there is none
	foreign    []string // credential headers of others
	allHeaders []string // foreign and authHeader
	authority  string
	requestURI string   // path and query, if they do not depend on the request
	dropParams []string // query parameters of the client that are not passed on
}

// New checks settings and prepares a target. Its error tells everything that is
// wrong with the fields, by their names in the plugin, and holds no credential.
func New(s Settings) (*Target, error) {
	t, err := newTarget(s)
	if err != nil {
		return nil, fmt.Errorf("configure target %q: %w", s.ID, err)
	}
	return t, nil
}

func newTarget(s Settings) (*Target, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	d, err := dialectOf(s)
	if err != nil {
		return nil, err
	}
	up, err := newUpstream(s, d)
	if err != nil {
		return nil, err
	}
	model, err := parseTemplate(s.Model)
	if err != nil {
		return nil, fmt.Errorf("model.name: %w", err)
	}
	t := &Target{settings: s, dialect: d, upstream: up, model: model}
	t.credentials = s.Credentials.all(s.Auth, d.authHeader)
	t.prepareBody()
	t.prepareAuth()
	t.prepareURI()
	return t, nil
}

func (t *Target) prepareBody() {
	if !t.model.dynamic() && t.model.text() != "" {
		t.modelRaw = appendQuote(nil, t.model.text())
	}
	for _, o := range t.settings.options() {
		switch {
		case o.Raw == nil:
		case o.Name == "max_tokens":
			t.limit = o.Raw
		default:
			t.options = append(t.options, o)
		}
	}
}

func (t *Target) prepareAuth() {
	a := t.settings.Auth
	t.authHeader = strings.ToLower(a.HeaderName)
	if t.authHeader == "" && (a.HeaderValue != "" || a.AllowOverride) {
		t.authHeader = t.dialect.authHeader
	}
	if a.HeaderValue != "" {
		t.setAuth = []Header{{Name: t.authHeader, Value: a.HeaderValue}}
	}
	for _, name := range t.credentials.Headers {
		if name != t.authHeader {
			t.foreign = append(t.foreign, name)
		}
	}
	t.allHeaders = t.credentials.Headers
	switch {
	case a.ParamName == "":
	case a.ParamLocation == "body":
		t.bodyParam = Edit{Name: a.ParamName, Raw: appendQuote(nil, string(a.ParamValue))}
	default:
		text := url.QueryEscape(a.ParamName) + "=" + url.QueryEscape(string(a.ParamValue))
		own := dropParam(t.upstream.own, a.ParamName)
		t.upstream.own = append(own, param{name: a.ParamName, text: literal(text), yields: a.AllowOverride})
	}
}

func (t *Target) prepareURI() {
	t.authority = t.upstream.endpoint.Authority()
	if !t.upstream.dynamic() {
		t.requestURI, _ = t.upstream.uri(Client{}, "") // only templates can fail
	}
	yields := func(name string) bool {
		return slices.ContainsFunc(t.upstream.own, func(p param) bool {
			return p.yields && strings.EqualFold(p.name, name)
		})
	}
	for _, name := range t.credentials.QueryParams {
		if !yields(name) {
			t.dropParams = append(t.dropParams, name)
		}
	}
	for _, p := range t.upstream.own {
		if !p.yields {
			t.dropParams = append(t.dropParams, p.name)
		}
	}
}

// Mask hides the target's credential in a body that [Target.Rewrite] has written,
// for logs of payloads.
func (t *Target) Mask(body string) string {
	if len(t.bodyParam.Raw) == 0 {
		return body
	}
	return strings.ReplaceAll(body, string(t.bodyParam.Raw), `"`+redacted+`"`)
}

// ID is the name of the target in its settings.
func (t *Target) ID() string { return t.settings.ID }

// Endpoint is where the target's requests go.
func (t *Target) Endpoint() Endpoint { return t.upstream.endpoint }

// Name is "provider/model", as in X-Kong-LLM-Model. The model is empty for a
// target that has none of its own, and unfilled for a template; [Rewrite.Model]
// is the one of a request.
func (t *Target) Name() string { return t.settings.Provider + "/" + t.settings.Model }

// Fields are the members of the body that [Target.Rewrite] may set or remove.
func (t *Target) Fields() []Field {
	var fields []Field
	if len(t.model) > 0 {
		fields = append(fields, Field{Name: "model"})
	}
	for _, o := range t.options {
		fields = append(fields, Field{Name: o.Name})
	}
	for _, name := range t.limitFields() {
		fields = append(fields, Field{Name: name})
	}
	if t.settings.ResponseStreaming == StreamingAlways {
		fields = append(fields, Field{Name: "stream"})
	}
	for _, name := range t.credentials.BodyParams {
		fields = append(fields, Field{Name: name, Credential: true})
	}
	return fields
}

// limitFields are those limitEdits may touch, for whichever model.
func (t *Target) limitFields() []string {
	field, other, _ := t.dialect.limitField(t.settings.RouteType, t.model.text())
	mayRename := other != "" && (t.dialect.reasoning || t.dialect.maxTokensOnly)
	switch {
	case t.limit == nil && !mayRename:
		return nil
	case other == "":
		return []string{field}
	}
	return []string{field, other}
}

// NeedsOriginal tells that a rewrite needs more of the client's request than
// [EncodeOriginals] carries: a source of a template, or a credential of the
// client's own that this target lets pass. Every attempt of such a plan must
// start from the client's request itself, read by [ReadRequest]; no attempt's
// rewrite may have been applied to it before.
func (t *Target) NeedsOriginal(req *Request, client Client) bool {
	if t.model.dynamic() || t.upstream.dynamic() {
		return true
	}
	a := t.settings.Auth
	if !a.AllowOverride {
		return false
	}
	return client.header(t.authHeader) != "" ||
		a.ParamName != "" && t.bodyParam.Name == "" && hasParam(client.Query, a.ParamName) ||
		t.bodyParam.Name != "" && req.sent(t.bodyParam.Name) != nil
}

// dynamic tells whether path or parameters depend on the request by a template.
func (up *upstream) dynamic() bool {
	if up.path.dynamic() {
		return true
	}
	for _, p := range up.own {
		if p.text.dynamic() {
			return true
		}
	}
	return false
}
