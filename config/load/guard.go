package load

import (
	"cmp"
	"slices"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/rules"
	"semlb/config/schema"
	"semlb/config/tree"
)

// guardLoader adds the plugins that guard, when the instances are known.
type guardLoader struct {
	*loader
	names *config.Names
	reach *config.Reach
	// overlap reports whether a request may be in both of two scopes.
	overlap func(a, b config.Scope) bool
}

// loadGuards adds all of them.
func (l *loader) loadGuards(names *config.Names) {
	g := guardLoader{l, names, config.NewReach(&l.config), l.config.Overlap()}
	for _, item := range l.guards {
		switch {
		case l.Full():
		case item.Missing != nil:
			g.missing(item)
		default:
			g.guard(item)
		}
	}
}

// missing reports what is not in the files: it may guard.
func (l guardLoader) missing(item format.Item) {
	if !l.inUse(item) {
		l.Warn(item.Node.Pos, item.Path, item.Missing.Text+item.Missing.Like)
		return
	}
	m := item.Missing
	l.Problem(item.Node.Pos, item.Path, "%s%s It may guard an ai-proxy-advanced: %s, or give --ignore-plugin %s to serve without it",
		m.Text, cmp.Or(m.Like, "."), m.Remedy, cmp.Or(m.Name, "NAME"))
}

// guard checks a plugin that guards, and adds it to the configuration. One that is not
// served, or not as it is configured, is a fault where it guards an instance.
func (l guardLoader) guard(item format.Item) {
	name := item.Node.Get("name")
	f := l.Tables.Named(name.Text)
	switch {
	case f != nil:
		l.supported(item, f)
	case item.Unbound != nil || disabled(item.Node):
	case l.inUse(item):
		l.Problem(name.Pos, item.Path, "%s", notServed(name))
	default:
		l.Warn(name.Pos, item.Path, "plugin "+name.Quoted()+" is not run: it guards no ai-proxy-advanced")
	}
}

// notServed is why a plugin that guards an instance, or may, is a fault.
func notServed(name *tree.Node) string {
	flag := "--ignore-plugin NAME"
	if !name.Hidden {
		flag = "--ignore-plugin " + name.Text
	}
	plugin, like := "plugin "+name.Quoted(), schema.GuardLike(name.Text)
	switch {
	case schema.Guards(name.Text):
		return plugin + " guards an ai-proxy-advanced and is not supported yet: give " + flag + " to serve without it"
	case like != "" && !name.Hidden:
		return plugin + " is unknown, did you mean " + report.Quote(like) +
			"? It would guard an ai-proxy-advanced: correct the name, or give " + flag + " to serve without it"
	default:
		return plugin + " is unknown and may guard an ai-proxy-advanced: give " + flag + " to serve without it"
	}
}

// supported checks the entry of a plugin that is served, which f describes.
func (l guardLoader) supported(item format.Item, f *schema.Field) {
	before := l.Count()
	n := l.entry(item, f)
	if n.Broken {
		return
	}
	entry := tree.NewCursor(item.Path, n)
	rules.Guard(&l.Report, n.Get("name").Text, entry)
	var scope config.Scope
	if item.Unbound == nil {
		scope = l.scope(item.Scope, entry, l.names)
		l.anonymous(entry.At("config", "anonymous"))
		l.defined(entry)
	}
	if l.Converting() || item.Unbound == nil && !disabled(n) && l.inUse(item) {
		schema.CheckSupport(&l.Report, item.Path, f, n)
	}
	switch {
	case l.Count() > before:
	case l.Converting():
		l.keepPlugin(n, scope, item.Unbound)
	case item.Unbound == nil:
		l.config.Guarding = append(l.config.Guarding, decodeGuard(f, n, scope))
		l.bound = append(l.bound, boundPlugin{entry, scope})
	}
}

func decodeGuard(f *schema.Field, n *tree.Node, scope config.Scope) config.GuardPlugin {
	name := n.Get("name").Text
	g := config.GuardPlugin{Name: name, Scope: scope, Settings: config.NewGuardSettings(name), Position: n.Pos}
	for name, into := range map[string]any{
		"id": &g.ID, "instance_name": &g.InstanceName, "enabled": &g.Enabled, "tags": &g.Tags, "config": g.Settings,
	} {
		f.Fields[name].Decode(n.Get(name), into)
	}
	g.Given, _ = f.Fields["config"].Normal(n.Get("config").OrObject(n.Pos)).Value().(map[string]any)
	return g
}

// anonymous: the consumer of anonymous requests exists, or each of them would fail.
func (l guardLoader) anonymous(name tree.Cursor) {
	if name.Known() && !l.names.Known(config.KindConsumer, name.Node.Text) {
		l.Want(name.Pos, name.Path, "the name of no consumer in the files", "a consumer's username or id")
	}
}

// defined: what an enabled plugin refers to exists, where the files define others of its
// kind. With a misspelt name it would guard nothing.
func (l guardLoader) defined(entry tree.Cursor) {
	for _, kind := range config.ScopeParts {
		c := entry.At(kind)
		name, ok := c.Node.Reference()
		if ok && name != "" && !disabled(entry.Node) && l.names.Any(kind) && !l.reach.Defined(kind, l.names.Of(kind, name)) {
			l.Want(c.Pos, c.Path, "the name of no "+config.Spoken(kind)+" in the files", "that of one, or the plugin guards nothing")
		}
	}
}

// inUse reports whether a request that an instance serves may be one that a plugin guards.
func (l guardLoader) inUse(item format.Item) bool {
	scope := l.scopeOf(item)
	return slices.ContainsFunc(l.served, func(s config.Scope) bool { return l.overlap(s, scope) })
}

// scopeOf returns what a plugin applies to: what it is nested in, and what it refers to.
func (l guardLoader) scopeOf(item format.Item) config.Scope {
	s := item.Scope
	for _, kind := range config.ScopeParts {
		if name, ok := item.Node.Get(kind).Reference(); ok && name != "" {
			s.SetPart(kind, l.names.Of(kind, name))
		}
	}
	return s
}
