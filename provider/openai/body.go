package openai

import "semlb/provider"

// Fields lists what Body may set or remove for any model and any client.
func (d *dialect) Fields() []string {
	var names []string
	if d.model != "" {
		names = append(names, "model")
	}
	for _, o := range d.options {
		names = append(names, o.Name)
	}
	if d.noTopK {
		names = append(names, topK)
	}
	if d.limit != nil || d.chat && d.limits != bothNames {
		names = append(names, "max_tokens")
		if d.chat {
			names = append(names, "max_completion_tokens")
		}
	}
	if d.alwaysStream {
		names = append(names, "stream")
	}
	return names
}

// Body splices the client's body.
func (d *dialect) Body(req *provider.Request, model string, credentials []provider.Edit) ([]byte, error) {
	var room [8]provider.Edit // as many as a target without credentials in the body makes
	edits := room[:0]
	if d.model != "" {
		edits = append(edits, provider.Edit{Name: "model", Raw: d.quoted(model)})
	}
	for _, o := range d.options {
		if !d.clientFirst || req.Sent(o.Name) == nil {
			edits = append(edits, o)
		}
	}
	if d.noTopK {
		edits = append(edits, provider.Edit{Name: topK})
	}
	edits = d.limitEdits(edits, req, model)
	if d.alwaysStream {
		edits = append(edits, provider.Edit{Name: "stream", Raw: []byte("true")})
	}
	return req.Edit(append(edits, credentials...)...)
}

// quoted is model as JSON. The configured one is quoted already.
func (d *dialect) quoted(model string) []byte {
	if model == d.model {
		return d.modelJSON
	}
	return quote(model)
}

// limitEdits sets the limit of tokens under the one name that the model takes:
// OpenAI refuses requests with both.
func (d *dialect) limitEdits(edits []provider.Edit, req *provider.Request, model string) []provider.Edit {
	name := d.limitName
	if model != d.model {
		name = d.tokenLimit(model)
	}
	own, others := req.Sent(name.field), []byte(nil)
	if name.other != "" {
		others = req.Sent(name.other)
	}
	sent := own != nil || others != nil
	if name.clients && own == nil && others != nil {
		name.field, name.other = name.other, name.field
	}
	switch {
	case d.limit != nil && (!sent || !d.clientFirst):
		edits = append(edits, provider.Edit{Name: name.field, Raw: d.limit})
		if name.other != "" {
			edits = append(edits, provider.Edit{Name: name.other})
		}
	case name.exclusive && own == nil && others != nil:
		edits = append(edits, provider.Edit{Name: name.field, Raw: others}, provider.Edit{Name: name.other})
	case name.exclusive && others != nil:
		edits = append(edits, provider.Edit{Name: name.other})
	}
	return edits
}
