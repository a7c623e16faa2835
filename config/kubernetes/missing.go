package kubernetes

import (
	"slices"
	"strings"

	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

// binder binds the plugins of a reader, when all resources are known.
type binder struct{ *reader }

// bindAll binds the plugins to what names them. A plugin that is named and is not in the
// files may guard.
func (r binder) bindAll() {
	for _, b := range r.bindings.all {
		switch p := r.findPlugin(b.namespace, b.plugin); {
		case p != nil:
			p.bound[b.kind] = append(p.bound[b.kind], b.entity)
		case !r.skips(b.namespace, b.plugin):
			r.missing(b)
		}
	}
	for _, n := range r.unread {
		r.unreadBinding(n)
	}
}

// skips reports whether the plugin that a name means was left out by a decision, or has a
// fault.
func (r binder) skips(namespace, name string) bool {
	return r.skipped[objectKey{namespace, name}] || r.skipped[objectKey{"", name}]
}

// missing notes the name of a plugin that is not in the files.
func (r binder) missing(b binding) {
	name, why := b.at.WithText(b.written), "which is not in the files"
	if r.foreign[objectKey{"", b.plugin}] {
		why = "which is of another ingress class"
	}
	m := format.Missing{Text: b.by + " names the plugin " + name.Quoted() + ", " + why, Remedy: "add it"}
	if !name.Hidden {
		m.Name = b.written
		m.Like = report.Suggest(b.plugin, r.pluginsNear(b.namespace))
	}
	item := format.Item{Path: b.path, Node: b.at}
	item.Scope.SetPart(b.kind, b.entity)
	r.Miss(item, m, b.written, b.plugin)
}

// pluginsNear returns the names of the plugins in a namespace, and of those of the cluster.
func (r binder) pluginsNear(namespace string) map[string]bool {
	names := map[string]bool{}
	for _, p := range r.plugins {
		if p.key.namespace == namespace || p.key.namespace == "" {
			names[p.key.name] = true
		}
	}
	return names
}

// streams are the kinds of resources for other traffic than HTTP requests.
var streams = []string{"GRPCRoute", "TCPIngress", "TCPRoute", "TLSRoute", "UDPIngress", "UDPRoute"}

// ignore notes a resource of a kind that is not read, which may bind plugins.
func (r binder) ignore(n *tree.Node, kind string) {
	r.Warn(n.Pos, "kind", "resource "+n.Get("kind").Quoted()+" is ignored")
	ofKong := strings.HasPrefix(n.Get("apiVersion").Str(), kongGroup+"/")
	binds := kind == bindingKind || annotation(n, annotationPlugins) != nil
	if ofKong && binds && !slices.Contains(streams, kind) {
		r.unread = append(r.unread, n)
	}
}

// unreadBinding notes the plugins that a resource of a kind that is not read binds: to what
// is not known, so that they may guard an instance.
func (r binder) unreadBinding(n *tree.Node) {
	namespace, names, path := keyOf(n).namespace, []*tree.Node{n.At("spec", "pluginRef", "name")}, "spec.pluginRef.name"
	if a := annotation(n, annotationPlugins); a != nil {
		names, path = texts(a, a.Str()), annotationsPath
	}
	for _, name := range names {
		if name == nil {
			continue
		}
		p := r.findPlugin(namespace, name.Str())
		if r.skips(namespace, name.Str()) || p != nil && p.n.Get("plugin").Str() == schema.PluginName {
			continue
		}
		m := format.Missing{
			Text:   shownResource(n) + ", which is not read, binds the plugin " + name.Quoted(),
			Remedy: "bind it by an annotation of a Service, an Ingress or an HTTPRoute",
		}
		if !name.Hidden {
			m.Name = name.Text
		}
		r.Miss(format.Item{Path: path, Node: name}, m, name.Str())
	}
}

// lacksSecret notes a credential of a consumer that is not in the files. Without a key the
// consumer is refused; without a group it would pass an acl that denies the group.
func (r binder) lacksSecret(name *tree.Node) {
	text := "secret " + name.Quoted() + " is not in the files"
	if r.AllowUnset || !slices.ContainsFunc(r.plugins, denies) {
		r.Warn(name.Pos, "credentials", text)
		return
	}
	m := format.Missing{Text: text + ", and may be a group that acl denies", Remedy: "add it"}
	if !name.Hidden {
		m.Name = name.Text
	}
	r.Miss(format.Item{Path: "credentials", Node: name}, m, name.Str())
}

// denies reports whether a plugin refuses the consumers of some groups.
func denies(p *plugin) bool {
	return p.n.Get("plugin").Str() == "acl" && !p.n.At("config", "deny").Empty()
}
