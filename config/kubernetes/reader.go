package kubernetes

import (
	"cmp"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/schema"
	"semlb/config/tree"
)

// reader gathers the resources of one configuration, which refer to each other whatever
// their order and files.
type reader struct {
	*format.Input
	plugins  []*plugin
	bindings bindings
	// skipped are the plugins that are left out, by a decision or with a fault, and foreign
	// those of another ingress class.
	skipped, foreign map[objectKey]bool
	// unread are the resources that bind plugins in a way that is not read.
	unread   []*tree.Node
	partials []partial
	secrets  secrets
	// consumers are read when the secrets with their credentials are known.
	consumers []*tree.Node
	// routes are the kinds of the resources that a name of a route is taken by, and made the
	// names of the routes of each Ingress and HTTPRoute.
	routes map[string]string
	made   map[resourceKey][]string
	// bare are those with annotations alone.
	bare []*tree.Node
}

func newReader(in *format.Input) format.Reader {
	return &reader{
		Input: in, routes: map[string]string{}, made: map[resourceKey][]string{}, skipped: map[objectKey]bool{}, foreign: map[objectKey]bool{},
		bindings: bindings{named: map[bound]*tree.Node{}},
		secrets:  secrets{Input: in, mounted: mountedSecrets(in.SecretsDir), known: map[objectKey]*tree.Node{}},
	}
}

// Read takes a resource or a list of them.
func (r *reader) Read(d format.Document) {
	n := d.Root
	kind, key := n.Get("kind").Str(), keyOf(n)
	if kind == "List" || strings.HasSuffix(kind, "List") && n.Get("items") != nil {
		for _, item := range r.ListOf("", n, "items") {
			r.Read(format.Document{Name: d.Name, Root: item})
		}
		return
	}
	if d.Partial {
		partialReader{r}.note(d)
		return
	}
	r.unique(n)
	if class, path := classOf(n); class != nil && class.Str() != r.IngressClass {
		if kind == "KongClusterPlugin" {
			r.foreign[objectKey{name: key.name}] = true
		}
		r.Warn(class.Pos, path, "resource "+n.Get("kind").Quoted()+" of another ingress class is ignored")
		return
	}
	r.checkAnnotations(n)
	switch read := resourceReaders[kind]; {
	case read == nil: // of any program, with or without a name
		binder{r}.ignore(n, kind)
	case key.name == "":
		r.Want(n.Pos, "metadata.name", "nothing", "a name")
	default:
		read(r, n, key)
	}
}

// uniqueParts are the objects of a resource in which no name may occur twice. Those of
// settings are checked with them.
var uniqueParts = [][]string{{}, {"metadata"}, {"metadata", "annotations"}, {"metadata", "labels"}, {"data"}, {"stringData"}}

func (r *reader) unique(n *tree.Node) {
	for _, part := range uniqueParts {
		if object := n.At(part...); object != nil {
			schema.Unique(&r.Report, strings.Join(part, "."), &schema.Field{}, object)
		}
	}
}

// resourceKey is what a resource of a kind is called.
type resourceKey struct {
	kind string
	objectKey
}

// classless are the kinds whose class Kong's controller does not look at: they are read
// where another resource leads to them.
var classless = []string{"HTTPRoute", "KongPlugin", "Secret", "Service"}

// classOf returns the ingress class of a resource and its path, or nil where it has
// none. An Ingress names it in its spec where the older annotation does not.
func classOf(n *tree.Node) (class *tree.Node, path string) {
	if slices.Contains(classless, n.Get("kind").Str()) {
		return nil, ""
	}
	if class := annotation(n, annotationClass); class != nil || n.Get("kind").Str() != "Ingress" {
		return class, annotationsPath
	}
	return n.At("spec", "ingressClassName"), "spec.ingressClassName"
}

// resourceReaders read the resources of each kind that is read.
var resourceReaders = map[string]func(r *reader, n *tree.Node, key objectKey){
	"KongPlugin":        (*reader).plugin,
	"KongClusterPlugin": func(r *reader, n *tree.Node, key objectKey) { r.plugin(n, objectKey{name: key.name}) },
	"Secret":            func(r *reader, n *tree.Node, key objectKey) { r.secrets.known[key] = n },
	"Service":           (*reader).service,
	"Ingress":           func(r *reader, n *tree.Node, key objectKey) { r.route(n, "Ingress", key) },
	"HTTPRoute":         func(r *reader, n *tree.Node, key objectKey) { r.route(n, "HTTPRoute", key) },
	"KongConsumer":      (*reader).consumerResource,
	"KongConsumerGroup": (*reader).consumerGroup,
	"KongVault":         func(r *reader, n *tree.Node, _ objectKey) { r.vault(n) },
}

func (r *reader) service(n *tree.Node, key objectKey) {
	r.AddEntity(config.KindService, "", entity(n, key.String()))
	r.bind(n, config.KindService, key.String())
}

// consumerResource notes a consumer, which is read when the Secrets are known.
func (r *reader) consumerResource(n *tree.Node, _ objectKey) {
	r.knownFields(n, "username", "custom_id", "credentials", "consumerGroups")
	r.consumers = append(r.consumers, n)
	r.bind(n, config.KindConsumer, consumerName(n))
}

func (r *reader) consumerGroup(n *tree.Node, key objectKey) {
	r.knownFields(n)
	r.AddEntity(config.KindConsumerGroup, "", entity(n, key.name))
	r.bind(n, config.KindConsumerGroup, key.name)
}

// Finish yields the consumers and the plugins, when all resources are known.
func (r *reader) Finish() {
	for _, n := range r.consumers {
		r.consumer(n)
	}
	partialReader{r}.bindAll()
	binder{r}.bindAll()
	for _, p := range r.plugins {
		r.yield(p)
	}
}

// entity returns an entity with the name and the tags of a resource.
func entity(n *tree.Node, name string) *tree.Node {
	title := &tree.Node{Kind: tree.String, Pos: n.Pos, Text: name, Hidden: n.At("metadata", "name").Hidden}
	e := (&tree.Node{Kind: tree.Object, Pos: n.Pos}).With("name", title)
	if tags := annotation(n, annotationTags); tags.Str() != "" {
		e = e.With("tags", &tree.Node{Kind: tree.List, Pos: tags.Pos, Items: texts(tags, tags.Str())})
	}
	return e
}

// consumerName returns the name of the entity that a KongConsumer is.
func consumerName(n *tree.Node) string {
	return cmp.Or(n.Get("username").Str(), n.Get("custom_id").Str())
}

// texts returns the parts of an annotation's text.
func texts(n *tree.Node, text string) []*tree.Node {
	var items []*tree.Node
	for _, part := range commaSeparated(text) {
		items = append(items, &tree.Node{Kind: tree.String, Pos: n.Pos, Text: part, Hidden: n.Hidden, Broken: n.Broken})
	}
	return items
}

// commaSeparated returns the parts of a text that are not empty.
func commaSeparated(text string) []string {
	var parts []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// everyResource are the fields that every resource may have.
var everyResource = []string{"apiVersion", "kind", "metadata", "spec", "status"}

// knownFields reports the fields of a resource that neither every resource has nor are
// among names.
func (r *reader) knownFields(n *tree.Node, names ...string) {
	known := map[string]bool{}
	for _, name := range append(names, everyResource...) {
		known[name] = true
	}
	for _, f := range n.Fields {
		if !known[f.Name] {
			r.Problem(f.Pos, f.Shown(), "unknown field%s", tree.Suggest(f, known))
		}
	}
	if s := n.Get("spec"); !s.Empty() {
		r.Warn(s.Pos, "spec", "ignored")
	}
}
