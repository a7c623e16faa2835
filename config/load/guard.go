package load

import (
	"slices"

	"semlb/config"
	"semlb/config/format"
)

// checkGuards reports the plugins that guard requests to an instance, and that are not
// enforced. One that guards nothing else than what is served elsewhere is a warning.
func (l *loader) checkGuards(names *config.Names) {
	overlap := l.config.Overlap()
	for _, item := range l.guards {
		if l.Full() {
			return
		}
		scope := l.scopeOf(item, names)
		name := item.Node.Get("name")
		guarded := slices.ContainsFunc(l.served, func(s config.Scope) bool { return overlap(s, scope) })
		switch {
		case item.Unbound != nil || disabled(item.Node):
		case guarded:
			l.Problem(name.Pos, item.Path, "plugin %s guards an ai-proxy-advanced and is not supported yet: give --ignore-plugin %s to serve without it", name.Quoted(), name.Text)
		default:
			l.Warn(name.Pos, item.Path, "plugin "+name.Quoted()+" is not run: it guards no ai-proxy-advanced")
		}
	}
}

// scopeOf returns what a plugin applies to: what it is nested in, and what it refers to.
func (l *loader) scopeOf(item format.Item, names *config.Names) config.Scope {
	s := item.Scope
	for _, kind := range config.ScopeParts {
		if name, ok := item.Node.Get(kind).Reference(); ok && name != "" {
			s.SetPart(kind, names.Of(kind, name))
		}
	}
	return s
}
