package load

import (
	"regexp"
	"slices"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
)

// stands matches a name that stands in documents for one that the reader has to fill in:
// routeName|Id, {routeId}, <route>, ROUTE_NAME.
var stands = regexp.MustCompile(`^(?:.*/)?(.*\|.*|[{<].*[}>]|[A-Z0-9]+(_[A-Z0-9]+)*_(NAME|ID))$`)

// boundPlugin is the entry of an instance or of a plugin that guards, and what it applies to.
type boundPlugin struct {
	entry tree.Cursor
	scope config.Scope
}

// checkReach warns of the enabled plugins that no request reaches, when those are known that
// say who anonymous clients are.
func checkReach(r *report.Report, c *config.Config, bound []boundPlugin) {
	reach := config.NewReach(c)
	for _, b := range bound {
		if kind, why := reach.Unreached(b.scope); kind != "" && !disabled(b.entry.Node) {
			b.warn(r, kind, why, reach)
		}
	}
}

// warn says that no request reaches the plugin, because of one part of its scope.
func (b boundPlugin) warn(r *report.Report, kind, why string, reach *config.Reach) {
	entry, scope := b.entry, b.scope
	at, called := entry, "its "+config.Spoken(kind)
	if own := entry.At(kind); own.Exists() {
		at = own
	}
	name := scope.Parts()[slices.Index(config.ScopeParts[:], kind)]
	switch known := reach.Defined(kind, name); {
	case !known && stands.MatchString(name):
		r.Warn(at.Pos, at.Path, report.Quote(name)+" is a placeholder: put the name of a "+config.Spoken(kind)+" there. No request reaches the plugin")
		return
	case !known && entry.At(kind).Exists() && !at.Node.Hidden:
		called = config.Spoken(kind) + " " + report.Quote(name)
	}
	r.Warn(at.Pos, at.Path, "no request reaches the plugin, unless another Envoy names the scope: "+called+" "+why)
}
