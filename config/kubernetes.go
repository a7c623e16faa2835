package config

import "strings"

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
	// overbound says that there were more of these than are taken.
	overbound bool
	secrets   map[objectKey]*node
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
