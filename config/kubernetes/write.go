package kubernetes

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/placeholder"
	"semlb/config/report"
	"semlb/config/tree"
)

// write returns a resource for each instance and for each entity, bound by annotations.
// Services, and routes that are in no file, are the cluster's own: what is written of
// them is for `kubectl apply --server-side`, which adds to them.
func write(out *format.Output) ([]byte, error) {
	if err := out.RequireDirect(Name); err != nil {
		return nil, err
	}
	for _, p := range out.Placeholders.All() {
		if p.Exposed {
			return nil, fmt.Errorf("convert to %s: %s is used outside of a secret, which Kubernetes resources cannot express", Name, p.Variable)
		}
	}
	w := writer{Output: out, bound: map[target][]string{}, names: map[target]bool{}}
	for _, p := range out.Plugins {
		if err := w.plugin(p); err != nil {
			return nil, err
		}
	}
	for _, e := range out.Entities {
		w.entity(e)
	}
	for _, t := range w.others {
		w.unknown(t)
	}
	return w.text()
}

// target is an entity that plugins are bound to, or a resource of a kind.
type target struct{ kind, name string }

// writer writes resources.
type writer struct {
	*format.Output
	docs []*tree.Node
	// bound are the plugins of entities.
	bound map[target][]string
	// others are entities that are in no file.
	others []target
	// names are the resources that have a name already.
	names map[target]bool
}

// text returns the resources as YAML.
func (w *writer) text() ([]byte, error) {
	var out bytes.Buffer
	if len(w.Placeholders.All()) > 0 {
		out.WriteString("# Let the shell fill in the variables: envsubst <FILE | kubectl apply --server-side -f -\n")
	}
	for i, n := range w.docs {
		if i > 0 {
			out.WriteString("---\n")
		}
		doc, err := tree.YAML(n)
		if err != nil {
			return nil, err
		}
		out.Write(doc)
	}
	return []byte(w.Placeholders.Replace(out.String(), placeholder.Placeholder.Dollar)), nil
}

// plugin writes an instance, and notes what it is bound to.
func (w *writer) plugin(p format.Plugin) error {
	like := p.Node.Get("name").Str()
	if p.Unbound != nil {
		like = p.Unbound.Name // by which annotations elsewhere may bind it
	}
	name := w.objectName("plugin", like)
	if p.Scope.Service != "" && p.Scope.Route != "" {
		return fmt.Errorf("convert to kubernetes: %s: a scope of a service and a route at once, which Kubernetes resources cannot express", p.Node.Pos)
	}
	w.docs = append(w.docs, pluginResource(p, name))
	if p.Unbound != nil {
		return nil
	}
	for i, entity := range p.Scope.Parts() {
		if entity == "" {
			continue
		}
		t := target{config.ScopeParts[i], entity}
		w.bound[t] = append(w.bound[t], name)
		if w.Entity(t.kind, entity) == nil && len(w.bound[t]) == 1 {
			w.others = append(w.others, t)
		}
	}
	return nil
}

// versions are the API versions of resources that are not Kong's own.
var versions = map[string]string{
	"Service": coreV1, "Secret": coreV1, "Ingress": ingressV1, "HTTPRoute": gatewayV1, "KongConsumerGroup": kongV1beta1,
}

// resource returns the start of a resource, with what the annotations of an entity's
// resource say. The entity may be nil.
func (w *writer) resource(kind, name string, e *format.Entity, annotations ...tree.Field) *tree.Node {
	version := cmp.Or(versions[kind], kongV1)
	namespace, plain, ok := strings.Cut(name, "/")
	meta := tree.NewObject("name", tree.NewString(plain), "namespace", tree.NewString(namespace))
	if !ok {
		plain = name
		meta = tree.NewObject("name", tree.NewString(name))
	}
	if !objectName.MatchString(plain) {
		w.Warn("%s is not a valid Kubernetes name: replace it", report.Quote(name))
	}
	var all []tree.Field
	if version != coreV1 {
		all = append(all, textField(annotationClass, DefaultIngressClass))
	}
	if e != nil {
		all = append(all, w.entityAnnotations(e)...)
	}
	if all = append(all, annotations...); len(all) > 0 {
		meta = meta.With("annotations", &tree.Node{Kind: tree.Object, Fields: all})
	}
	return tree.NewObject("apiVersion", tree.NewString(version), "kind", tree.NewString(kind), "metadata", meta)
}

// entityAnnotations returns the annotations with the plugins and the tags of an entity.
func (w *writer) entityAnnotations(e *format.Entity) []tree.Field {
	var all []tree.Field
	if plugins := w.bound[target{e.Kind, e.Name}]; plugins != nil {
		all = append(all, textField(annotationPlugins, strings.Join(plugins, ",")))
	}
	if tags := e.Node.Get("tags"); !tags.Empty() {
		all = append(all, textField(annotationTags, joined(tags)))
	}
	if e.Node.Get("id") != nil {
		w.Warn("the id of %s %s is omitted: Kubernetes resources cannot express it", strings.ReplaceAll(e.Kind, "_", " "), report.Quote(e.Name))
	}
	return all
}

func textField(name, text string) tree.Field {
	return tree.Field{Name: name, Value: tree.NewString(text)}
}

// joined returns the texts of a list with commas between them, as annotations have them.
func joined(list *tree.Node) string {
	var all []string
	for _, item := range list.Elements() {
		all = append(all, item.Text)
	}
	return strings.Join(all, ",")
}

// unknown writes what an instance is bound to and no file has.
func (w *writer) unknown(t target) {
	e := format.Entity{Kind: t.kind, Name: t.name, Node: &tree.Node{Kind: tree.Object}}
	switch t.kind {
	case config.KindService:
		w.docs = append(w.docs, w.resource("Service", t.name, &e))
	case config.KindRoute:
		w.docs = append(w.docs, w.resource("Ingress", t.name, &e))
	case config.KindConsumer:
		e.Node = tree.NewObject("username", tree.NewString(t.name))
		w.entity(e)
	case config.KindConsumerGroup:
		w.entity(e)
	}
}

func (w *writer) entity(e format.Entity) {
	switch e.Kind {
	case config.KindService:
		w.docs = append(w.docs, w.resource("Service", e.Name, &e))
		if on := e.Node.Get("enabled"); on != nil {
			if enabled, _ := on.Bool(); !enabled {
				w.Warn("service %s is disabled, which Kubernetes resources cannot express", report.Quote(e.Name))
			}
		}
	case config.KindRoute:
		w.route(e)
	case config.KindConsumerGroup:
		w.docs = append(w.docs, w.resource("KongConsumerGroup", e.Name, &e))
	case config.KindConsumer:
		w.consumer(e)
	}
}

// notInNames matches what the names of resources cannot have.
var notInNames = regexp.MustCompile(`[^a-z0-9-]+`)

// objectName returns a name for a resource that is like a text, and that no other
// resource of its kind has.
func (w *writer) objectName(kind, like string) string {
	base := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(like), "-"), "-")
	name := cmp.Or(base, kind)
	for i := 2; w.names[target{kind, name}]; i++ {
		name = base + "-" + strconv.Itoa(i)
	}
	w.names[target{kind, name}] = true
	return name
}
