package config

// knownFields makes a fault of each field of a resource that is neither one that every
// resource has nor one of names.
func (l *loader) knownFields(n *node, names ...string) {
	known := map[string]bool{"apiVersion": true, "kind": true, "metadata": true, "spec": true, "status": true}
	for _, name := range names {
		known[name] = true
	}
	for _, f := range n.fields {
		if !known[f.name] {
			l.problem(f.pos, fieldName(&spec{}, f), "unknown field%s", suggestion(f, known))
		}
	}
	if s := n.get("spec"); !s.empty() {
		l.warn(s.pos, "spec", "not read")
	}
}

// kubeConsumer reads a KongConsumer and the secrets of its credentials.
func (l *loader) kubeConsumer(n *node) {
	entity := &node{kind: kindObject, pos: n.pos}
	set := func(name string, value *node) {
		if value != nil {
			entity.fields = append(entity.fields, field{name: name, pos: value.pos, value: value})
		}
	}
	set("username", n.get("username"))
	set("custom_id", n.get("custom_id"))
	groups := &node{kind: kindList, pos: n.pos}
	for _, g := range n.get("consumerGroups").elements() {
		groups.items = append(groups.items, (&node{kind: kindObject, pos: g.pos}).with("name", g))
	}
	set("groups", groups)
	lists := map[string]*node{}
	for _, c := range n.get("credentials").elements() {
		list, credential := l.credential(keyOf(n).namespace, c)
		if credential == nil {
			continue
		}
		if lists[list] == nil {
			lists[list] = &node{kind: kindList, pos: c.pos}
			set(list, lists[list])
		}
		lists[list].items = append(lists[list].items, credential)
	}
	l.consumer("", entity)
}

// credential returns what a secret holds for a consumer, and the list it belongs
// to.
func (l *loader) credential(namespace string, name *node) (list string, credential *node) {
	secret := l.secret(objectKey{namespace, name.str()}, name, "credentials")
	switch {
	case secret != nil:
	case l.secretDir == "" || l.allowUnset:
		l.warn(name.pos, "credentials", "secret "+quoted(name)+" is not in the files")
		return "", nil
	default:
		l.problem(name.pos, "credentials", "%s", l.noSecret("no secret "+quoted(name)))
		return "", nil
	}
	label := secret.at("metadata", "labels", labelCredential)
	names := map[string][]string{
		"key-auth":   {"key"},
		"basic-auth": {"username", "password"},
		"jwt":        {"key", "secret", "algorithm", "rsa_public_key"},
	}[label.str()]
	if names == nil {
		l.problem(name.pos, "credentials", "not supported yet: credentials of kind %s", quoted(label))
		return "", nil
	}
	credential = &node{kind: kindObject, pos: name.pos}
	for _, key := range names {
		if text, ok := secretText(secret, key); ok {
			isSecret := key == "password" || key == "secret" || key == "key" && label.str() == "key-auth"
			value := &node{kind: kindString, pos: name.pos, text: text, hidden: true}
			switch {
			case isSecret && isReference(secret.at("stringData", key).str()):
				value.hidden = false // so that it is filled in; the field hides it
			case isSecret && l.symbols != nil:
				variable := variableName(name.str() + "_" + key)
				l.warn(name.pos, "credentials", "the value of the secret becomes the variable "+variable)
				value.text, value.broken = l.symbols.add(symbol{name: variable}), true
			}
			credential.fields = append(credential.fields, field{name: key, pos: name.pos, value: value})
		}
	}
	return map[string]string{
		"key-auth": "keyauth_credentials", "basic-auth": "basicauth_credentials", "jwt": "jwt_secrets",
	}[label.str()], credential
}
