package kubernetes

import (
	"maps"
	"path"
	"strings"

	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

// routeAnnotation is an annotation that is a field of a route.
type routeAnnotation struct {
	annotation, field string
	kind              tree.Kind
}

// routeAnnotations are those that are fields of a route as they stand; lists are separated
// by commas.
var routeAnnotations = [...]routeAnnotation{
	{annotationProtocol, "protocols", tree.List},
	{"konghq.com/snis", "snis", tree.List},
	{annotationPriority, "regex_priority", tree.Int},
	{annotationRedirect, "https_redirect_status_code", tree.Int},
	{"konghq.com/path-handling", "path_handling", tree.String},
	{"konghq.com/request-buffering", "request_buffering", tree.Bool},
	{"konghq.com/response-buffering", "response_buffering", tree.Bool},
}

// otherAnnotations are the other ones of Kong's controller that are read, and those that
// have no effect: they say how a service is reached, and the targets take its place.
var otherAnnotations = map[string]bool{
	annotationPlugins: true, annotationTags: true, annotationMethods: true, annotationStrip: true,
	annotationPreserve: true, annotationAliases: true, annotationRegex: true, annotationSplit: true, annotationTLSOnly: true,

	"konghq.com/ca-certificates-configmap": false, "konghq.com/ca-certificates-secret": false,
	"konghq.com/client-cert": false, "konghq.com/connect-timeout": false, "konghq.com/gatewayclass-unmanaged": false,
	"konghq.com/host-header": false, "konghq.com/konnect-service": false, "konghq.com/path": false,
	"konghq.com/protocol": false, "konghq.com/read-timeout": false, "konghq.com/retries": false,
	"konghq.com/rewrite": false, "konghq.com/tls-verify": false, "konghq.com/tls-verify-depth": false,
	"konghq.com/write-timeout": false, "ingress.kubernetes.io/service-upstream": false,
}

// annotationOverride names a KongIngress, which Kong's controller no longer reads for
// routes.
const annotationOverride = "konghq.com/override"

// knownAnnotations are those of both tables.
var knownAnnotations = func() map[string]bool {
	known := maps.Clone(otherAnnotations)
	for _, of := range routeAnnotations {
		known[of.annotation] = true
	}
	return known
}()

// bareAnnotations are those of knownAnnotations by their names without the prefix.
var bareAnnotations = func() map[string]string {
	bare := make(map[string]string)
	for name := range knownAnnotations {
		bare[path.Base(name)] = name
	}
	return bare
}()

// isKnown reports whether an annotation is of one of the tables, or for one header.
func isKnown(name string) bool {
	_, known := knownAnnotations[name]
	return known || strings.HasPrefix(name, annotationHeaders)
}

// checkAnnotations reports the annotations of Kong's controller that are not done.
func (r *reader) checkAnnotations(n *tree.Node) {
	for _, f := range n.At("metadata", "annotations").OrObject(n.Pos).Fields {
		ours := strings.HasPrefix(f.Name, "konghq.com/") || strings.HasPrefix(f.Name, "ingress.kubernetes.io/")
		at := report.Join(annotationsPath, f.Shown())
		switch similar := bareAnnotations[report.Nearest(path.Base(f.Name), bareAnnotations)]; {
		case !ours || f.Hidden || isKnown(f.Name):
		case f.Name == annotationOverride:
			r.Problem(f.Pos, at, "not supported yet: a KongIngress; annotations can say the same")
		case similar != "":
			r.Problem(f.Pos, at, "unknown annotation, did you mean %q?", similar)
		default:
			r.Warn(f.Pos, at, "not read")
		}
	}
}

// checkPartial warns of annotations that only add to a resource: none but those of plugins
// are read.
func (r *reader) checkPartial(n *tree.Node) {
	for _, f := range n.At("metadata", "annotations").OrObject(n.Pos).Fields {
		if f.Name != annotationPlugins && isKnown(f.Name) {
			r.Warn(f.Pos, report.Join(annotationsPath, f.Shown()), "not read here: give the resource itself")
		}
	}
}

// annotated adds to a route what its annotations say.
func annotated(route, n *tree.Node) *tree.Node {
	if only := annotation(n, annotationTLSOnly); only != nil {
		if on, ok := (&schema.Field{Kind: tree.Bool}).Converted(only).Bool(); ok && on {
			route = route.With("protocols", listAt(only, "https"))
			route = route.With("https_redirect_status_code", &tree.Node{Kind: tree.Int, Pos: only.Pos, Text: "302"})
		}
	}
	for _, of := range routeAnnotations {
		value := annotation(n, of.annotation)
		switch {
		case value == nil:
		case of.kind == tree.List:
			route = route.With(of.field, listAt(value, value.Str()))
		default:
			route = route.With(of.field, (&schema.Field{Kind: of.kind}).Converted(value))
		}
	}
	return route
}

// listAt returns the parts of a text, as a list at the position of a node.
func listAt(n *tree.Node, text string) *tree.Node {
	return &tree.Node{Kind: tree.List, Pos: n.Pos, Items: texts(n, text)}
}
