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

// checkReach warns of an enabled plugin that no request reaches.
func checkReach(r *report.Report, reach *config.Reach, entry tree.Cursor, scope config.Scope) {
	kind, why := reach.Unreached(scope)
	if kind == "" || disabled(entry.Node) {
		return
	}
	at, called := entry, "its "+config.Spoken(kind)
	if own := entry.At(kind); own.Exists() {
		at = own
	}
	name := scope.Parts()[slices.Index(config.ScopeParts[:], kind)]
	switch known := reach.Known(kind, name); {
	case !known && stands.MatchString(name):
		r.Warn(at.Pos, at.Path, report.Quote(name)+" is a placeholder: put the name of a "+config.Spoken(kind)+" there. No request reaches the plugin")
		return
	case !known && entry.At(kind).Exists() && !at.Node.Hidden:
		called = config.Spoken(kind) + " " + report.Quote(name)
	}
	r.Warn(at.Pos, at.Path, "no request reaches the plugin, unless another Envoy names the scope: "+called+" "+why)
}
