package load

import (
	"regexp"
	"slices"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
)

// captured matches what takes a named group of the path of a route.
var captured = regexp.MustCompile(`\$\(\s*uri_captures\.([^\s)]+)\s*\)`)

// checkCaptures warns of templates that take named groups which no route has that the
// plugin applies to.
func checkCaptures(r *report.Report, settings tree.Cursor, groups []string) {
	for _, target := range settings.At("targets").Items() {
		checkCapturesIn(r, target.At("model", "name"), groups)
		options := target.At("model", "options")
		if !options.Exists() {
			continue
		}
		for _, f := range options.Node.Fields {
			checkCapturesIn(r, options.At(f.Name), groups)
		}
	}
}

// groupsOf are the named groups of the routes that a plugin of a scope applies to.
func groupsOf(routes []config.Route, scope config.Scope, names *config.Names) []string {
	var groups []string
	for i := range routes {
		r := &routes[i]
		of := scope.Route == "" || scope.Route == r.Name || scope.Route == r.ID
		if of && (scope.Service == "" || scope.Service == names.Of(config.KindService, r.Service)) {
			groups = append(groups, r.CaptureNames()...)
		}
	}
	return groups
}

// checkCapturesIn warns of a text that takes another named group than groups.
func checkCapturesIn(r *report.Report, text tree.Cursor, groups []string) {
	for _, match := range captured.FindAllStringSubmatch(text.Node.Str(), -1) {
		if slices.Contains(groups, match[1]) {
			continue
		}
		name := match[1]
		if text.Node.Hidden {
			name = report.Redacted
		}
		r.Warn(text.Pos, text.Path, "no route that the plugin applies to has the group (?<"+name+">…) in a path: its requests are answered with 400")
	}
}
