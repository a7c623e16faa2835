package kubernetes

import (
	"cmp"
	"strconv"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/tree"
)

// port is the port of a backend. Kubernetes requires one; the plugin's targets take the
// backend's place.
var port = &tree.Node{Kind: tree.Int, Text: "80"}

// route writes a route with paths as an Ingress, whose paths are Kong's own, and
// one without as an HTTPRoute.
func (w *writer) route(e format.Entity) {
	service := e.Service
	if namespace, _, ok := strings.Cut(e.Name, "/"); ok {
		service = strings.TrimPrefix(service, namespace+"/")
	}
	if strings.Contains(service, "/") {
		w.Warn("service %s is in another namespace than its route %s, which Kubernetes resources cannot express", report.Quote(service), report.Quote(e.Name))
	}
	kind, spec := "HTTPRoute", httpRouteSpec(e, service)
	if len(e.Node.Get("paths").Elements()) > 0 {
		kind, spec = "Ingress", ingressSpec(e, service)
	}
	w.docs = append(w.docs, w.resource(kind, e.Name, &e, annotationsOf(e.Node)...).With("spec", spec))
}

// annotationsOf returns the annotations that say what neither kind of resource has
// fields for.
func annotationsOf(route *tree.Node) []tree.Field {
	all := []tree.Field{
		textField(annotationStrip, flagText(route.Get("strip_path"), "true")),
		textField(annotationPreserve, flagText(route.Get("preserve_host"), "false")),
	}
	if methods := route.Get("methods"); !methods.Empty() {
		all = append(all, textField(annotationMethods, joined(methods)))
	}
	if protocols := route.Get("protocols"); !protocols.Empty() {
		all = append(all, textField(annotationProtocol, joined(protocols)))
	}
	for _, of := range routeAnnotations {
		if number := route.Get(of.field); number != nil && of.kind == tree.Int {
			all = append(all, textField(of.annotation, string(number.NumberText())))
		}
	}
	if headers := route.Get("headers"); headers != nil {
		for _, f := range headers.Fields {
			all = append(all, textField(annotationHeaders+f.Name, joined(f.Value)))
		}
	}
	return all
}

// flagText returns a boolean as an annotation has it.
func flagText(n *tree.Node, fallback string) string {
	if n == nil {
		return fallback
	}
	b, _ := n.Bool()
	return strconv.FormatBool(b)
}

// httpRouteSpec returns one rule that matches every path.
func httpRouteSpec(e format.Entity, service string) *tree.Node {
	rule := &tree.Node{Kind: tree.Object}
	if service != "" {
		rule = tree.NewObject("backendRefs", tree.NewList(tree.NewObject("name", tree.NewString(service), "port", port)))
	}
	spec := tree.NewObject("parentRefs", tree.NewList(tree.NewObject("name", tree.NewString("kong"))))
	if hosts := e.Node.Get("hosts"); !hosts.Empty() {
		spec = spec.With("hostnames", hosts)
	}
	return spec.With("rules", tree.NewList(rule))
}

// ingressSpec returns the rules of an Ingress: the same paths for each host.
func ingressSpec(e format.Entity, service string) *tree.Node {
	paths := tree.NewList()
	for _, p := range e.Node.Get("paths").Elements() {
		path := p.Text
		if pattern, ok := strings.CutPrefix(path, "~"); ok {
			path = "/~" + pattern
		}
		n := tree.NewObject("path", tree.NewString(path), "pathType", tree.NewString("ImplementationSpecific"))
		if service != "" {
			backend := tree.NewObject("name", tree.NewString(service), "port", tree.NewObject("number", port))
			n = n.With("backend", tree.NewObject("service", backend))
		}
		paths.Items = append(paths.Items, n)
	}
	rules := tree.NewList()
	for _, h := range e.Node.Get("hosts").Elements() {
		rules.Items = append(rules.Items, tree.NewObject("host", h, "http", tree.NewObject("paths", paths)))
	}
	if len(rules.Items) == 0 {
		rules.Items = append(rules.Items, tree.NewObject("http", tree.NewObject("paths", paths)))
	}
	return tree.NewObject("rules", rules)
}

// pluginResource returns an instance as a KongPlugin or a KongClusterPlugin.
func pluginResource(p format.Plugin, name string) *tree.Node {
	kind, meta := pluginKind(p, tree.NewObject("name", tree.NewString(name), "annotations", tree.NewObject(
		annotationClass, tree.NewString(DefaultIngressClass), annotationTags, tree.NewString(joined(p.Node.Get("tags"))))))
	n := tree.NewObject("apiVersion", tree.NewString(kongV1), "kind", tree.NewString(kind), "metadata", meta)
	p.Scope = config.Scope{} // annotations say it
	for _, f := range p.Body(nil).Fields {
		switch f.Name {
		case "tags", "id", "created_at", "updated_at":
		case "name":
			n = n.With("plugin", f.Value)
		case "enabled":
			if on, _ := f.Value.Bool(); !on {
				n = n.With("disabled", &tree.Node{Kind: tree.Bool, Text: "true"})
			}
		default:
			n = n.With(f.Name, f.Value)
		}
	}
	return n
}

// pluginKind returns the kind of an instance's resource, and its metadata with the
// namespace or the label that go with the kind.
func pluginKind(p format.Plugin, meta *tree.Node) (string, *tree.Node) {
	namespace, _, namespaced := strings.Cut(cmp.Or(p.Scope.Service, p.Scope.Route), "/")
	switch {
	case p.Unbound != nil:
		if p.Unbound.Namespace != "" {
			meta = meta.With("namespace", tree.NewString(p.Unbound.Namespace))
		}
		return p.Unbound.Kind, meta
	case p.Scope.Global():
		return "KongClusterPlugin", meta.With("labels", tree.NewObject(labelGlobal, tree.NewString("true")))
	case namespaced && cmp.Or(p.Scope.Consumer, p.Scope.ConsumerGroup) != "":
		return "KongClusterPlugin", meta // the two may be in different namespaces
	case namespaced:
		return "KongPlugin", meta.With("namespace", tree.NewString(namespace))
	default:
		return "KongPlugin", meta
	}
}
