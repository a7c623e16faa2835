package kubernetes

import (
	"slices"

	"semlb/config/format"
	"semlb/config/tree"
)

// consumer writes a consumer and the secrets of its credentials.
func (w *writer) consumer(e format.Entity) {
	name := w.objectName("consumer", e.Name)
	doc := w.resource("KongConsumer", name, &e)
	for _, f := range []string{"username", "custom_id"} {
		if value := e.Node.Get(f); value != nil {
			doc = doc.With(f, value)
		}
	}
	if len(e.Groups) > 0 {
		groups := tree.NewList()
		for _, g := range e.Groups {
			groups.Items = append(groups.Items, tree.NewString(g))
		}
		doc = doc.With("consumerGroups", groups)
	}
	credentials := tree.NewList()
	for _, kind := range format.Credentials {
		for _, credential := range e.Node.Get(kind.List).Elements() {
			secret := w.objectName("secret", name+"-"+kind.Kind)
			credentials.Items = append(credentials.Items, tree.NewString(secret))
			w.secret(secret, kind.Kind, credential)
		}
	}
	if len(credentials.Items) > 0 {
		doc = doc.With("credentials", credentials)
	}
	w.docs = append(w.docs, doc)
}

// notInSecrets are the fields of credentials that their Secrets lack.
var notInSecrets = []string{"id", "tags", "ttl", "created_at"}

// secret writes the Secret of a credential.
func (w *writer) secret(name, kind string, credential *tree.Node) {
	data := &tree.Node{Kind: tree.Object}
	for _, f := range credential.Fields {
		if !slices.Contains(notInSecrets, f.Name) && (f.Value.Kind != tree.Null || f.Value.Broken) {
			data.Fields = append(data.Fields, f)
		}
	}
	n := w.resource("Secret", name, nil)
	labels := tree.NewObject(labelCredential, tree.NewString(kind))
	n = n.With("metadata", n.Get("metadata").With("labels", labels))
	w.docs = append(w.docs, n.With("stringData", data))
}
