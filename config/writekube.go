package config

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// kubernetes writes a resource for each instance and for each entity, bound by
// annotations. Services, and routes that are in no file, are the cluster's own: what
// is written of them is for `kubectl apply --server-side`, which adds to them.
func (w *writer) kubernetes() ([]byte, error) {
	k := kubeWriter{writer: w, bound: map[alias][]string{}, names: map[alias]string{}}
	for _, p := range w.plugins {
		like := pluginName
		if p.unbound != nil {
			like = p.unbound.key.name // what others may bind it by
		}
		name := k.objectName("plugin", like)
		if p.scope.Service != "" && p.scope.Route != "" {
			return nil, fmt.Errorf("convert to kubernetes: %s: a scope of a service and a route at once, which kubernetes cannot", p.n.pos)
		}
		k.docs = append(k.docs, p.resource(name))
		if p.unbound != nil {
			continue
		}
		for part, entity := range p.scope.Parts() {
			if entity != "" {
				key := alias{scopeNames()[part], entity}
				k.bound[key] = append(k.bound[key], name)
				if w.entity(key.kind, entity) == nil && len(k.bound[key]) == 1 {
					k.others = append(k.others, key)
				}
			}
		}
	}
	for _, e := range w.entities {
		k.entity(e)
	}
	for _, key := range k.others {
		k.unknown(key)
	}
	return k.text()
}

// kubeWriter writes resources.
type kubeWriter struct {
	*writer
	docs []*node
	// bound are the plugins of entities.
	bound map[alias][]string
	// others are entities that are in no file.
	others []alias
	// names are those that are given already.
	names map[alias]string
}

func (k *kubeWriter) text() ([]byte, error) {
	var out bytes.Buffer
	if len(k.symbols.all) > 0 {
		out.WriteString("# Let the shell fill in the variables: envsubst <FILE | kubectl apply --server-side -f -\n")
	}
	for i, n := range k.docs {
		if i > 0 {
			out.WriteString("---\n")
		}
		doc, err := yamlText(n)
		if err != nil {
			return nil, err
		}
		out.Write(doc)
	}
	return []byte(k.symbols.replace(out.String(), dollar)), nil
}

// meta returns the start of a resource.
func (k *kubeWriter) meta(kind, name string, e *keptEntity, more ...any) *node {
	version := map[string]string{"Service": "v1", "Secret": "v1", "Ingress": "networking.k8s.io/v1", "HTTPRoute": "gateway.networking.k8s.io/v1"}[kind]
	if version == "" {
		version = "configuration.konghq.com/v1"
	}
	if version == "configuration.konghq.com/v1" && kind == "KongConsumerGroup" {
		version = "configuration.konghq.com/v1beta1"
	}
	namespace, plain, ok := strings.Cut(name, "/")
	meta := object("name", text(plain), "namespace", text(namespace))
	if !ok {
		plain = name
		meta = object("name", text(name))
	}
	if !isObjectName(plain) {
		k.warn("%s is not a name that Kubernetes takes: replace it", printable(name))
	}
	annotations := &node{kind: kindObject}
	if version != "v1" {
		annotations = annotations.with(annotationClass, text("kong"))
	}
	if e != nil {
		if plugins := k.bound[alias{e.kind, e.name}]; plugins != nil {
			annotations = annotations.with(annotationPlugins, text(strings.Join(plugins, ",")))
		}
		if tags := e.n.get("tags"); !tags.empty() {
			annotations = annotations.with(annotationTags, text(strings.Join(strs(tags), ",")))
		}
		if e.n.get("id") != nil {
			k.warn("the id of %s %s is left out, which kubernetes cannot give", strings.ReplaceAll(e.kind, "_", " "), printable(e.name))
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		annotations = annotations.with(more[i].(string), more[i+1].(*node))
	}
	if len(annotations.fields) > 0 {
		meta = meta.with("annotations", annotations)
	}
	return object("apiVersion", text(version), "kind", text(kind), "metadata", meta)
}

// strs returns the texts of a list.
func strs(list *node) []string {
	var all []string
	for _, item := range list.elements() {
		all = append(all, item.text)
	}
	return all
}

// unknown writes what an instance is bound to and no file has.
func (k *kubeWriter) unknown(key alias) {
	e := keptEntity{kind: key.kind, name: key.name, n: &node{kind: kindObject}}
	switch key.kind {
	case "service":
		k.docs = append(k.docs, k.meta("Service", key.name, &e))
	case "route":
		k.docs = append(k.docs, k.meta("Ingress", key.name, &e))
	case "consumer":
		e.n = object("username", text(key.name))
		k.entity(e)
	case "consumer_group":
		k.entity(e)
	}
}

func (k *kubeWriter) entity(e keptEntity) {
	switch e.kind {
	case "service":
		k.docs = append(k.docs, k.meta("Service", e.name, &e))
		if on := e.n.get("enabled"); on != nil {
			if enabled, _ := on.boolean(); !enabled {
				k.warn("that service %s is disabled is left out, which kubernetes cannot say", printable(e.name))
			}
		}
	case "route":
		k.route(e)
	case "consumer_group":
		k.docs = append(k.docs, k.meta("KongConsumerGroup", e.name, &e))
	case "consumer":
		k.consumer(e)
	}
}

// consumer writes a consumer and the secrets of its credentials.
func (k *kubeWriter) consumer(e keptEntity) {
	name := k.objectName("consumer", e.name)
	doc := k.meta("KongConsumer", name, &e)
	for _, f := range []string{"username", "custom_id"} {
		if value := e.n.get(f); value != nil {
			doc = doc.with(f, value)
		}
	}
	if len(e.groups) > 0 {
		groups := &node{kind: kindList}
		for _, g := range e.groups {
			groups.items = append(groups.items, text(g))
		}
		doc = doc.with("consumerGroups", groups)
	}
	credentials := &node{kind: kindList}
	for _, c := range credentialPaths() {
		for _, credential := range e.n.get(c[0]).elements() {
			secret := k.objectName("secret", name+"-"+c[1])
			credentials.items = append(credentials.items, text(secret))
			data := &node{kind: kindObject}
			for _, f := range credential.fields {
				if slices.Contains([]string{"id", "tags", "ttl", "created_at"}, f.name) || f.value.kind == kindNull && !f.value.broken {
					continue
				}
				data.fields = append(data.fields, f)
			}
			n := k.meta("Secret", secret, nil)
			n = n.with("metadata", n.get("metadata").with("labels", object(labelCredential, text(c[1]))))
			k.docs = append(k.docs, n.with("stringData", data))
		}
	}
	if len(credentials.items) > 0 {
		doc = doc.with("credentials", credentials)
	}
	k.docs = append(k.docs, doc)
}

// objectName returns a name for a resource that is like a text.
func (k *kubeWriter) objectName(kind, like string) string {
	base := strings.Trim(regexp.MustCompile(`[^a-z0-9-]+`).ReplaceAllString(strings.ToLower(like), "-"), "-")
	name := firstOf(base, kind)
	for i := 2; k.names[alias{kind, name}] != ""; i++ {
		name = base + "-" + strconv.Itoa(i)
	}
	k.names[alias{kind, name}] = like
	return name
}
