package config

import (
	"fmt"
	"slices"
)

// deckKeys are the keys of a decK file, and whether they are read. Those that are
// not hold nothing that ai-proxy-advanced needs.
func deckKeys() map[string]bool {
	keys := map[string]bool{}
	for _, name := range []string{
		"_format_version", "_info", "_konnect", "_plugin_configs", "_transform", "_workspace",
		"consumer_groups", "consumers", "plugins", "routes", "services",
	} {
		keys[name] = true
	}
	for _, name := range []string{
		"_comment", "ca_certificates", "certificates", "custom_entities", "filter_chains", "key_sets", "keys",
		"licenses", "partials", "rbac_roles", "service_packages", "snis", "upstreams", "vaults",
	} {
		keys[name] = false
	}
	return keys
}

// formats says what is read.
const formats = "this is none of the formats that are read: a decK file (plugins, services, routes, …), " +
	"Kubernetes resources (apiVersion, kind), the body of an Admin API request (name, config), Terraform (.tf), " +
	"or a shell script of such requests (.sh)"

// deck finds the plugins of a decK file.
func (l *loader) deck(root *node) {
	if root.kind != kindObject {
		l.want(root.pos, "", article(root.kind), "an object")
		return
	}
	keys := deckKeys()
	if !slices.ContainsFunc(root.fields, func(f field) bool { _, known := keys[f.name]; return known || suggestion(f, keys) != "" }) && !root.empty() {
		l.problem(root.pos, "", "%s", formats)
		return
	}
	for _, f := range l.unique("", &spec{}, root) {
		read, known := keys[f.name]
		path := fieldName(&spec{}, f)
		switch {
		case !known:
			l.problem(f.pos, path, "unknown field%s", suggestion(f, keys))
		case !read && !f.value.empty():
			l.warn(f.pos, path, "not read")
		case f.name == "_format_version":
			l.formatVersion(path, f.value)
		case f.name == "_plugin_configs":
			l.sharedBlocks(path, f.value)
		}
	}
	l.plugins("", root, Scope{})
	l.each("services", root, l.service)
	l.each("routes", root, func(path string, n *node) { l.route(path, n, "") })
	l.each("consumers", root, l.consumer)
	l.each("consumer_groups", root, l.consumerGroup)
}

// each reads the entities of a list.
func (l *loader) each(kinds string, root *node, read func(path string, n *node)) {
	for i, n := range l.listOf(kinds, root, kinds) {
		read(fmt.Sprintf("%s[%d]", kinds, i), n)
	}
}

// formatVersion checks decK's own version.
func (l *loader) formatVersion(path string, n *node) {
	if n.kind == kindNull || n.broken {
		return
	}
	scalar := n.kind == kindString || n.kind == kindFloat
	if !scalar || !slices.Contains([]string{"1.1", "3.0"}, n.text) {
		l.want(n.pos, path, shown(&spec{}, n), "1.1 or 3.0")
	}
}

func (l *loader) sharedBlocks(path string, n *node) {
	if n.kind != kindObject {
		l.want(n.pos, path, article(n.kind), "an object")
		return
	}
	for _, f := range l.unique(path, &spec{}, n) {
		if f.value.kind != kindObject {
			l.want(f.pos, join(path, fieldName(&spec{}, f)), article(f.value.kind), "an object")
			continue
		}
		l.shared[f.name] = f.value
	}
}

// withShared returns an entry with the block its _config names: the fields of
// "config" that the entry does not have itself.
func (l *loader) withShared(e entry) *node {
	name := e.n.get("_config")
	if name == nil {
		return e.n
	}
	block, ok := l.shared[name.str()]
	if !ok {
		l.want(name.pos, join(e.path, "_config"), shown(&spec{kind: kindString}, name), "a name in _plugin_configs")
		return e.n
	}
	if l.values += block.size; l.values > maxValues {
		l.problem(name.pos, join(e.path, "_config"), "got more than %d values, shared blocks counted as often as they are used", maxValues)
		return &node{kind: kindObject, pos: e.n.pos, broken: true}
	}
	merged := *block
	if own := e.n.get("config"); own != nil {
		if own.kind != kindObject {
			return e.n
		}
		merged = *own
		merged.fields = addMissing(slices.Clone(own.fields), block.fields)
	}
	return e.n.with("config", &merged)
}

// plugins finds the entries of a list of plugins.
func (l *loader) plugins(path string, parent *node, scope Scope) {
	path = join(path, "plugins")
	for i, n := range l.listOf(path, parent, "plugins") {
		l.pluginEntry(fmt.Sprintf("%s[%d]", path, i), n, scope)
	}
}

// pluginEntry notes the entry of a plugin, if it is of the one that is read.
func (l *loader) pluginEntry(path string, n *node, scope Scope) {
	name := n.get("name")
	switch {
	case n.kind != kindObject:
		l.want(n.pos, path, article(n.kind), "an object")
	case name == nil:
		l.want(n.pos, join(path, "name"), "nothing", pluginName)
	case name.kind == kindString && name.text != pluginName && !name.broken:
		l.warn(name.pos, join(path, "name"), "plugin "+quoted(name)+" is not run")
	default:
		l.entries = append(l.entries, entry{path: path, n: n, scope: scope})
	}
}

// listOf returns the elements of a list, which may be absent.
func (l *loader) listOf(path string, parent *node, name string) []*node {
	n := parent.get(name)
	if n == nil || n.broken {
		return nil
	}
	if n.kind != kindList {
		l.want(n.pos, path, article(n.kind), "a list")
		return nil
	}
	return n.items
}
