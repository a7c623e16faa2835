package kubernetes

import (
	"strconv"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

// plugin is a KongPlugin, or a KongClusterPlugin, which has no namespace.
type plugin struct {
	key objectKey
	n   *tree.Node
	// bound are the entities that it is bound to, by their kinds.
	bound map[string][]string
	// global plugins apply everywhere.
	global bool
}

// resource names the plugin's resource.
func (p *plugin) resource() *format.Resource {
	return &format.Resource{
		Kind: p.n.Get("kind").Str(), Namespace: p.key.namespace, Name: p.key.name,
		Shown: p.n.At("metadata", "name").Quoted(),
	}
}

// plugin notes a plugin, if it is the one that is read or guards it.
func (r *reader) plugin(n *tree.Node, key objectKey) {
	name := n.Get("plugin")
	if name == nil {
		r.skipped[key] = true
		r.Want(n.Pos, "plugin", "nothing", schema.PluginName)
		return
	}
	if r.SkipsPlugin(name, "plugin") {
		r.skipped[key] = true
		return
	}
	if version := n.Get("apiVersion"); version.Str() != kongV1 {
		r.Want(version.Pos, "apiVersion", schema.Show(version), kongV1)
	}
	for _, other := range r.plugins {
		if other.key == key {
			r.Problem(n.Pos, "metadata.name", "got a second plugin of the same name or id, first at %s", other.n.Pos)
			return
		}
	}
	p := &plugin{key: key, n: n, bound: map[string][]string{}}
	if label := n.At("metadata", "labels", labelGlobal); label != nil && label.Text == "true" {
		if p.global = key.namespace == "" && n.Get("kind").Str() == "KongClusterPlugin"; !p.global {
			r.Warn(label.Pos, "metadata.labels.global", "only a KongClusterPlugin can be global")
		}
	}
	r.plugins = append(r.plugins, p)
}

// entry returns the plugin as a decK file has it: with "name" and "enabled", and with
// what its secrets hold.
func (r *reader) entry(p *plugin) *tree.Node {
	entry := &tree.Node{Kind: tree.Object, Pos: p.n.Pos}
	set := func(name string, at config.Position, value *tree.Node) {
		entry.Fields = append(entry.Fields, tree.Field{Name: name, Pos: at, Value: value})
	}
	for _, f := range p.n.Fields {
		switch f.Name {
		case "apiVersion", "kind", "metadata", "status", "config", "configFrom", "configPatches":
		case "plugin":
			set("name", f.Pos, f.Value)
		case "disabled":
			set("enabled", f.Pos, r.inverted(f.Value))
		default:
			set(f.Name, f.Pos, f.Value)
		}
	}
	if f := r.Tables.Named(p.n.Get("plugin").Str()); f != nil {
		if settings := r.settings(p, f.Fields["config"]); settings != nil {
			set("config", settings.Pos, settings)
		}
	}
	if tags := annotation(p.n, annotationTags); tags != nil {
		if items := texts(tags, tags.Str()); len(items) > 0 {
			set("tags", tags.Pos, &tree.Node{Kind: tree.List, Pos: tags.Pos, Items: items})
		}
	}
	return entry
}

// settings returns the settings of the plugin, from the resource itself or a secret, with
// its patches; nil where there are none. f describes them.
func (r *reader) settings(p *plugin, f *schema.Field) *tree.Node {
	settings := p.n.Get("config")
	for _, from := range p.n.Fields {
		if from.Name != "configFrom" || from.Value.Kind == tree.Null {
			continue
		}
		if settings != nil {
			r.Problem(from.Pos, "configFrom", "got both config and configFrom, want one of them")
		}
		settings = r.secrets.value(p.key.namespace, "configFrom", from.Value, f)
	}
	for i, change := range r.ListOf("", p.n, "configPatches") {
		settings = r.patch(patch{p, report.Index("configPatches", i), change, f}, settings)
	}
	return settings
}

// inverted returns the opposite of a boolean.
func (r *reader) inverted(n *tree.Node) *tree.Node {
	b, ok := n.Bool()
	if !ok {
		if n.Kind != tree.Null && !n.Broken {
			boolean := &schema.Field{Kind: tree.Bool}
			r.Want(n.Pos, "disabled", boolean.Shown(n), "true or false")
		}
		return &tree.Node{Pos: n.Pos}
	}
	return &tree.Node{Kind: tree.Bool, Pos: n.Pos, Text: strconv.FormatBool(!b)}
}
