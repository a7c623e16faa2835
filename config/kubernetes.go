package config

import (
	"slices"
	"strings"
)

// The annotations and labels that are read.
const (
	annotationPlugins = "konghq.com/plugins"
	annotationTags    = "konghq.com/tags"
	annotationClass   = "kubernetes.io/ingress.class"
	labelGlobal       = "global"
	labelCredential   = "konghq.com/credential"
)

// cluster gathers Kubernetes resources, which refer to each other whatever their
// order and files.
type cluster struct {
	class string
	// plugins are those of KongPlugin and KongClusterPlugin, the latter without a
	// namespace.
	plugins []*kubePlugin
	bound   []binding
	secrets map[objectKey]*node
	// consumers wait for the secrets with their credentials.
	consumers []*node
	// routes are the kinds of the resources whose routes have a name.
	routes map[string]string
}

// objectKey names a resource.
type objectKey struct{ namespace, name string }

// String returns "namespace/name", or the name alone where there is no namespace.
func (k objectKey) String() string {
	if k.namespace == "" {
		return k.name
	}
	return k.namespace + "/" + k.name
}

// kubePlugin is a KongPlugin or a KongClusterPlugin and what it is bound to.
type kubePlugin struct {
	key      objectKey
	n        *node
	entities [4][]string
	global   bool
}

// binding is one name of a plugin, in an annotation or a filter.
type binding struct {
	// part says what the resource is: an index of scopeNames.
	part           int
	entity, plugin string
	namespace      string
	// path and at are where the name is.
	path string
	at   *node
}

// The parts of a scope, as indexes of scopeNames.
const (
	partService = iota
	partRoute
	partConsumer
	partGroup
)

func newCluster(class string) cluster {
	return cluster{class: class, secrets: map[objectKey]*node{}, routes: map[string]string{}}
}

// keyOf returns the name of a resource.
func keyOf(n *node) objectKey {
	meta := n.get("metadata")
	return objectKey{meta.get("namespace").str(), meta.get("name").str()}
}

// annotation returns an annotation of a resource, or nil.
func annotation(n *node, name string) *node { return n.at("metadata", "annotations", name) }

// resource reads one Kubernetes resource.
func (l *loader) resource(n *node) {
	kind, key := n.get("kind").str(), keyOf(n)
	if kind == "List" || strings.HasSuffix(kind, "List") && n.get("items") != nil {
		for _, item := range l.listOf("items", n, "items") {
			l.resource(item)
		}
		return
	}
	for _, part := range [][]string{{}, {"metadata"}, {"metadata", "annotations"}, {"metadata", "labels"}, {"data"}, {"stringData"}} {
		if object := n.at(part...); object != nil {
			l.unique(strings.Join(part, "."), &spec{}, object)
		}
	}
	if class, path := classOf(n); class != nil && class.str() != l.cluster.class {
		l.warn(class.pos, path, "resource "+quoted(n.get("kind"))+" of another ingress class is not read")
		return
	}
	if key.name == "" {
		l.want(n.pos, "metadata.name", "nothing", "a name")
		return
	}
	switch kind {
	case "KongPlugin":
		l.kubePlugin(n, key)
	case "KongClusterPlugin":
		l.kubePlugin(n, objectKey{name: key.name})
	case "Secret":
		l.cluster.secrets[key] = n
	case "Service":
		l.service("", kubeEntity(n, key.String()))
		l.bind(n, partService, key.String())
	case "Ingress", "HTTPRoute":
		l.kubeRoutes(n, kind, key)
	case "KongConsumer":
		l.knownFields(n, "username", "custom_id", "credentials", "consumerGroups")
		l.cluster.consumers = append(l.cluster.consumers, n)
		l.bind(n, partConsumer, firstOf(n.get("username").str(), n.get("custom_id").str()))
	case "KongConsumerGroup":
		l.knownFields(n)
		l.consumerGroup("", kubeEntity(n, key.name))
		l.bind(n, partGroup, key.name)
	default:
		l.warn(n.pos, "kind", "resource "+quoted(n.get("kind"))+" is not read")
	}
}

// classOf returns the ingress class of a resource and its path, or nil where it has
// none. An Ingress names it in its spec where the older annotation does not.
func classOf(n *node) (class *node, path string) {
	if class := annotation(n, annotationClass); class != nil || n.get("kind").str() != "Ingress" {
		return class, "metadata.annotations"
	}
	return n.at("spec", "ingressClassName"), "spec.ingressClassName"
}

// partial reports whether an Ingress or HTTPRoute has nothing but annotations to add to one that
// is in the cluster already.
func partial(n *node) bool { return n.get("spec") == nil && annotation(n, annotationPlugins) != nil }

// kubePlugin notes a plugin resource, if it is of the one that is read.
func (l *loader) kubePlugin(n *node, key objectKey) {
	name := n.get("plugin")
	if name == nil {
		l.want(n.pos, "plugin", "nothing", pluginName)
		return
	}
	if name.str() != pluginName {
		l.warn(name.pos, "plugin", "plugin "+quoted(name)+" is not run")
		return
	}
	if version := n.get("apiVersion"); version.str() != "configuration.konghq.com/v1" {
		l.want(version.pos, "apiVersion", shown(&spec{}, version), "configuration.konghq.com/v1")
	}
	if !l.known("plugin", "metadata.name", n.pos, key.String()) {
		return
	}
	p := &kubePlugin{key: key, n: n}
	if label := n.at("metadata", "labels", labelGlobal); label != nil && label.text == "true" {
		if p.global = key.namespace == "" && n.get("kind").str() == "KongClusterPlugin"; !p.global {
			l.warn(label.pos, "metadata.labels.global", "only a KongClusterPlugin can be global")
		}
	}
	l.cluster.plugins = append(l.cluster.plugins, p)
}

// maxBindings bounds what plugins are bound to.
const maxBindings = 10_000

// bind notes the plugins that a resource's annotation names.
func (l *loader) bind(n *node, part int, entity string) {
	a := annotation(n, annotationPlugins)
	if a == nil {
		return
	}
	for _, name := range commaSeparated(a.str()) {
		l.addBinding(binding{part, entity, name, keyOf(n).namespace, "metadata.annotations", a})
	}
}

// addBinding notes a name of a plugin, unless there are too many.
func (l *loader) addBinding(b binding) {
	if len(l.cluster.bound) >= maxBindings {
		l.problem(b.at.pos, b.path, "got more than %d bindings of plugins", maxBindings)
		return
	}
	l.cluster.bound = append(l.cluster.bound, b)
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

// bindKubernetes turns the resources into entries, when all of them are known.
func (l *loader) bindKubernetes() {
	for _, n := range l.cluster.consumers {
		l.kubeConsumer(n)
	}
	for _, b := range l.cluster.bound {
		p := l.cluster.find(b.namespace, b.plugin)
		if p == nil {
			name := &node{kind: kindString, text: b.plugin, hidden: b.at.hidden}
			l.warn(b.at.pos, b.path, "plugin "+quoted(name)+" is not in the files")
			continue
		}
		p.entities[b.part] = append(p.entities[b.part], b.entity)
	}
	for _, p := range l.cluster.plugins {
		l.kubeEntries(p)
	}
}

// find returns the plugin a resource means: the one of its namespace, else that of
// the cluster.
func (c *cluster) find(namespace, name string) *kubePlugin {
	for _, key := range []objectKey{{namespace, name}, {"", name}} {
		i := slices.IndexFunc(c.plugins, func(p *kubePlugin) bool { return p.key == key })
		if i >= 0 {
			return c.plugins[i]
		}
	}
	return nil
}

// kubeEntries adds an entry for each scope of a plugin.
func (l *loader) kubeEntries(p *kubePlugin) {
	n := l.entryOf(p)
	places := len(p.entities[partService]) + len(p.entities[partRoute])
	if people := len(p.entities[partConsumer]) + len(p.entities[partGroup]); places*people > maxBindings {
		l.problem(p.n.pos, "", "got more than %d scopes of one plugin", maxBindings)
		return
	}
	scopes := p.scopes()
	if len(scopes) == 0 {
		l.warn(p.n.pos, "", p.n.get("kind").str()+" "+quoted(p.n.at("metadata", "name"))+" is bound to nothing")
		l.entries = append(l.entries, entry{n: n, unbound: p})
	}
	for _, s := range scopes {
		l.entries = append(l.entries, entry{n: n, scope: s})
	}
}

// scopes returns what a plugin applies to. Bound to consumers or groups and to
// routes or services it applies where both meet, as Kong's controller has it.
func (p *kubePlugin) scopes() []Scope {
	places := []Scope{}
	for _, s := range p.entities[partService] {
		places = append(places, Scope{Service: s})
	}
	for _, r := range p.entities[partRoute] {
		places = append(places, Scope{Route: r})
	}
	people := []Scope{}
	for _, c := range p.entities[partConsumer] {
		people = append(people, Scope{Consumer: c})
	}
	for _, g := range p.entities[partGroup] {
		people = append(people, Scope{ConsumerGroup: g})
	}
	scopes := append([]Scope{}, places...)
	if len(people) > 0 {
		scopes = people
	}
	if len(people) > 0 && len(places) > 0 {
		scopes = nil
		for _, s := range people {
			for _, at := range places {
				scopes = append(scopes, Scope{at.Service, at.Route, s.Consumer, s.ConsumerGroup})
			}
		}
	}
	if p.global {
		scopes = append(scopes, Scope{})
	}
	return scopes
}
