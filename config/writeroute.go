package config

import (
	"strconv"
	"strings"
)

// route writes a route with paths as an Ingress, whose paths are Kong's own, and
// one without as an HTTPRoute.
func (k *kubeWriter) route(e keptEntity) {
	flag := func(name, fallback string) *node {
		if n := e.n.get(name); n != nil {
			b, _ := n.boolean()
			return text(strconv.FormatBool(b))
		}
		return text(fallback)
	}
	annotations := []any{annotationStrip, flag("strip_path", "true"), annotationPreserve, flag("preserve_host", "false")}
	if methods := e.n.get("methods"); !methods.empty() {
		annotations = append(annotations, annotationMethods, text(strings.Join(strs(methods), ",")))
	}
	if protocols := e.n.get("protocols"); !protocols.empty() {
		annotations = append(annotations, annotationProtocol, text(strings.Join(strs(protocols), ",")))
	}
	for _, of := range numberAnnotations() {
		if number := e.n.get(of.field); number != nil {
			annotations = append(annotations, of.annotation, text(string(number.numberText())))
		}
	}
	for _, f := range orEmpty(e.n.get("headers"), Position{}).fields {
		annotations = append(annotations, annotationHeaders+f.name, text(strings.Join(strs(f.value), ",")))
	}
	service := e.service
	if namespace, _, ok := strings.Cut(e.name, "/"); ok {
		service = strings.TrimPrefix(service, namespace+"/")
	}
	if strings.Contains(service, "/") {
		k.warn("service %s is in another namespace than its route %s, which kubernetes cannot", printable(service), printable(e.name))
	}
	if paths := e.n.get("paths").elements(); len(paths) > 0 {
		k.docs = append(k.docs, k.meta("Ingress", e.name, &e, annotations...).with("spec", ingressSpec(e, service)))
		return
	}
	rule := &node{kind: kindObject}
	if service != "" {
		backend := object("name", text(service), "port", &node{kind: kindInt, text: "80"})
		rule = object("backendRefs", &node{kind: kindList, items: []*node{backend}})
	}
	spec := object("parentRefs", &node{kind: kindList, items: []*node{object("name", text("kong"))}})
	if hosts := e.n.get("hosts"); !hosts.empty() {
		spec = spec.with("hostnames", hosts)
	}
	k.docs = append(k.docs, k.meta("HTTPRoute", e.name, &e, annotations...).with("spec", spec.with("rules", &node{kind: kindList, items: []*node{rule}})))
}

// ingressSpec returns the rules of an Ingress: the same paths for each host.
func ingressSpec(e keptEntity, service string) *node {
	paths := &node{kind: kindList}
	for _, p := range e.n.get("paths").elements() {
		path := p.text
		if pattern, ok := strings.CutPrefix(path, "~"); ok {
			path = "/~" + pattern
		}
		n := object("path", text(path), "pathType", text("ImplementationSpecific"))
		if service != "" {
			n = n.with("backend", object("service", object("name", text(service), "port", object("number", &node{kind: kindInt, text: "80"}))))
		}
		paths.items = append(paths.items, n)
	}
	rules := &node{kind: kindList}
	for _, h := range e.n.get("hosts").elements() {
		rules.items = append(rules.items, object("host", h, "http", object("paths", paths)))
	}
	if len(rules.items) == 0 {
		rules.items = append(rules.items, object("http", object("paths", paths)))
	}
	return object("rules", rules)
}

// resource returns an instance as a Kubernetes resource.
func (e entry) resource(name string) *node {
	meta := object("name", text(name), "annotations", object(
		annotationClass, text("kong"), annotationTags, text(strings.Join(strs(e.n.get("tags")), ","))))
	kind := "KongPlugin"
	place := firstOf(e.scope.Service, e.scope.Route)
	switch namespace, _, ok := strings.Cut(place, "/"); {
	case e.unbound != nil:
		kind = e.unbound.n.get("kind").str()
		if e.unbound.key.namespace != "" {
			meta = meta.with("namespace", text(e.unbound.key.namespace))
		}
	case e.scope.Global():
		kind = "KongClusterPlugin"
		meta = meta.with("labels", object(labelGlobal, text("true")))
	case ok && firstOf(e.scope.Consumer, e.scope.ConsumerGroup) != "":
		kind = "KongClusterPlugin" // for whichever namespaces the two are in
	case ok:
		meta = meta.with("namespace", text(namespace))
	}
	n := object("apiVersion", text("configuration.konghq.com/v1"), "kind", text(kind), "metadata", meta)
	for _, f := range e.body(func(_, name string) *node { return text(name) }).fields {
		switch {
		case isScope(f.name), f.name == "tags", f.name == "id", f.name == "created_at", f.name == "updated_at":
		case f.name == "name":
			n = n.with("plugin", f.value)
		case f.name == "enabled":
			if on, _ := f.value.boolean(); !on {
				n = n.with("disabled", &node{kind: kindBool, text: "true"})
			}
		default:
			n = n.with(f.name, f.value)
		}
	}
	return n
}
