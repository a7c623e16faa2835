package kubernetes

import (
	"semlb/config"
	"semlb/config/format"
	"semlb/config/tree"
)

// consumer yields a KongConsumer with what the secrets of its credentials hold.
func (r *reader) consumer(n *tree.Node) {
	entity := &tree.Node{Kind: tree.Object, Pos: n.Pos}
	for _, name := range []string{"username", "custom_id"} {
		if value := n.Get(name); value != nil {
			entity = entity.With(name, value)
		}
	}
	groups := &tree.Node{Kind: tree.List, Pos: n.Pos}
	for _, g := range n.Get("consumerGroups").Elements() {
		groups.Items = append(groups.Items, (&tree.Node{Kind: tree.Object, Pos: g.Pos}).With("name", g))
	}
	entity = entity.With("groups", groups)
	owned, name := format.Owned{}, keyOf(n).name
	for _, c := range n.Get("credentials").Elements() {
		if kind, credential := r.credential(keyOf(n).namespace, c); credential != nil {
			owned.Add(name, kind.List, credential)
		}
	}
	r.AddEntity(config.KindConsumer, "", owned.Given(entity, name))
}

// credential returns what a secret holds for a consumer, or nil where there is nothing.
func (r *reader) credential(namespace string, name *tree.Node) (format.Credential, *tree.Node) {
	secret := r.secrets.find(objectKey{namespace, name.Str()}, name, "credentials")
	switch {
	case secret != nil:
	case r.secrets.mounted == "" || r.AllowUnset:
		binder{r}.lacksSecret(name)
		return format.Credential{}, nil
	default:
		r.Problem(name.Pos, "credentials", "%s", r.secrets.missing("no secret "+name.Quoted()))
		return format.Credential{}, nil
	}
	label := secret.At("metadata", "labels", labelCredential)
	kind, known := format.CredentialOf(label.Str())
	if !known {
		r.Problem(name.Pos, "credentials", "not supported yet: credentials of kind %s", label.Quoted())
		return kind, nil
	}
	credential := &tree.Node{Kind: tree.Object, Pos: name.Pos}
	for _, key := range kind.Fields {
		if text, ok := secretText(secret, key); ok {
			value := &tree.Node{Kind: tree.String, Pos: name.Pos, Text: text, Hidden: true}
			if key == kind.Secret {
				value = r.credentialSecret(name, key, secret, value)
			}
			credential.Fields = append(credential.Fields, tree.Field{Name: key, Pos: name.Pos, Value: value})
		}
	}
	return kind, credential
}

// credentialSecret returns the secret part of a credential. A reference is filled in
// later; in a conversion a variable stands for a value.
func (r *reader) credentialSecret(name *tree.Node, key string, secret, value *tree.Node) *tree.Node {
	switch {
	case isReference(secret.At("stringData", key).Str()):
		value.Hidden = false // the schema hides the field
		return value
	case r.Converting():
		return r.secrets.placeholder(name.Pos, "credentials", variableName(name.Str()+"_"+key))
	default:
		return value
	}
}
