package load

import (
	"semlb/config"
	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/rules"
	"semlb/config/schema"
	"semlb/config/tree"
)

// foundPlugin notes a plugin, if it is the one that is read or guards it.
func (l *loader) foundPlugin(item format.Item) {
	if item.Missing != nil {
		l.guards = append(l.guards, item)
		return
	}
	n, name := item.Node, item.Node.Get("name")
	l.instances.check(&l.Report, item)
	switch {
	case n.Kind != tree.Object:
		l.Want(n.Pos, item.Path, n.Kind.Article(), "an object")
	case name == nil:
		l.Want(n.Pos, report.Join(item.Path, "name"), "nothing", schema.PluginName)
	case l.SkipsPlugin(name, report.Join(item.Path, "name")):
	case name.Kind == tree.String && !name.Broken && name.Text != schema.PluginName:
		l.guards = append(l.guards, item)
	default:
		l.plugins = append(l.plugins, item)
	}
}

// pluginsIn notes the plugins that an entity lists.
func (l *loader) pluginsIn(path string, n *tree.Node, scope config.Scope) {
	for i, p := range l.ListOf(path, n, "plugins") {
		at := report.Index(report.Join(path, "plugins"), i)
		l.foundPlugin(format.Item{Kind: format.KindPlugin, Path: at, Node: p, Scope: scope})
	}
}

// plugin checks a plugin and adds it to the configuration.
func (l *loader) plugin(item format.Item, names *config.Names) {
	before := l.Count()
	n := l.entry(item, l.Tables.Plugin)
	if n.Broken {
		return
	}
	entry := tree.NewCursor(item.Path, n)
	rules.Plugin(&l.Report, entry)
	schema.CheckSupport(&l.Report, item.Path, l.Tables.Plugin, n)
	var scope config.Scope
	if item.Unbound == nil {
		scope = l.scope(item.Scope, entry, names)
		l.templated = append(l.templated, templated{entry.At("config"), scope})
	}
	if item.Unbound == nil && !disabled(n) {
		l.served = append(l.served, scope)
	}
	switch {
	case l.Count() > before:
	case l.Converting():
		l.keepPlugin(n, scope, item.Unbound)
	case item.Unbound == nil:
		l.bound = append(l.bound, boundPlugin{entry, scope})
		l.config.Plugins = append(l.config.Plugins, l.decodePlugin(n, scope))
	}
}

// entry returns a plugin with its block and its references filled in, each field of which
// was checked by itself. It is broken where it cannot be read.
func (l *loader) entry(item format.Item, f *schema.Field) *tree.Node {
	n := l.withBlock(item)
	if n.Broken {
		return n
	}
	n = resolver{l.Input, l.vaults}.resolve(item.Path, f, n)
	schema.Check(&l.Report, item.Path, f, n)
	return n
}

// disabled reports whether a plugin's entry says that it does not run.
func disabled(n *tree.Node) bool {
	runs, given := n.Get("enabled").Bool()
	return given && !runs
}

func (l *loader) decodePlugin(n *tree.Node, scope config.Scope) config.Plugin {
	p := config.Plugin{Name: schema.PluginName, Scope: scope, Position: n.Pos}
	if l.AllowUnset {
		p.Unset = unset("", n)
	}
	for name, into := range map[string]any{
		"id": &p.ID, "instance_name": &p.InstanceName, "enabled": &p.Enabled, "tags": &p.Tags, "config": &p.Settings,
	} {
		l.Tables.Plugin.Fields[name].Decode(n.Get(name), into)
	}
	return p
}

// unset returns the values below a path that have none because a variable is not set.
func unset(path string, n *tree.Node) []config.Fault {
	if n.Broken {
		return []config.Fault{{Position: n.Pos, Path: path, Problem: "the variable of this setting is not set"}}
	}
	var all []config.Fault
	for _, f := range n.Fields {
		all = append(all, unset(report.Join(path, f.Shown()), f.Value)...)
	}
	for i, item := range n.Items {
		all = append(all, unset(report.Index(path, i), item)...)
	}
	return all
}

// withBlock returns a plugin with the block that its _config names: the fields of
// "config" that the plugin does not have itself.
func (l *loader) withBlock(item format.Item) *tree.Node {
	n, path := item.Node, report.Join(item.Path, "_config")
	name := n.Get("_config")
	if name == nil {
		return n
	}
	block, ok := l.Blocks[name.Str()]
	if !ok {
		text := &schema.Field{Kind: tree.String}
		l.Want(name.Pos, path, text.Shown(name), "a name in _plugin_configs")
		return n
	}
	if !l.Charge(block) {
		l.Problem(name.Pos, path, "got more than %d values, shared blocks counted as often as they are used", tree.MaxValues)
		return &tree.Node{Kind: tree.Object, Pos: n.Pos, Broken: true}
	}
	own := n.Get("config")
	switch {
	case own == nil:
		return n.With("config", block)
	case own.Kind != tree.Object:
		return n
	default:
		return n.With("config", own.Merged(block))
	}
}

// scope returns what a plugin applies to: what it is nested in, and what it refers to
// itself. Only one plugin of a name may have a scope.
func (l *loader) scope(around config.Scope, entry tree.Cursor, names *config.Names) config.Scope {
	s, valid := around, true
	for i, kind := range config.ScopeParts {
		c := entry.At(kind)
		if !c.Exists() {
			continue
		}
		name, ok := c.Node.Reference()
		name = names.Of(kind, name)
		if outer := around.Parts()[i]; ok && outer != "" && outer != name {
			l.Problem(c.Pos, c.Path, "got a different %s than that of the enclosing entity", kind)
		}
		s.SetPart(kind, name)
		valid = valid && ok
	}
	if s.Consumer != "" && s.ConsumerGroup != "" {
		l.Problem(entry.Pos, entry.Path, "got a consumer and a consumer_group, want one of them")
	}
	if !valid {
		return s
	}
	of := scoped{entry.At("name").Node.Str(), s}
	if first, taken := l.scopes[of]; taken {
		l.Problem(entry.Pos, entry.Path, "got a second %s of the same scope, first at %s", of.plugin, first)
		return s
	}
	l.scopes[of] = entry.Pos
	return s
}
