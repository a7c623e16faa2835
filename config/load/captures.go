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

// templated are the settings of an instance, and the scope that it is bound to.
type templated struct {
	settings tree.Cursor
	scope    config.Scope
}

// captureCheck warns of templates that take named groups of paths.
type captureCheck struct {
	*report.Report
	routes []config.Route
	served []config.Scope // of the enabled instances
	names  *config.Names
}

// check warns of groups which not every path has that leads to an instance.
func (c captureCheck) check(instances []templated) {
	for _, in := range instances {
		groups := c.groupsOf(in.scope)
		for _, target := range in.settings.At("targets").Items() {
			checkCapturesIn(c.Report, target.At("model", "name"), groups)
			options := target.At("model", "options")
			if !options.Exists() {
				continue
			}
			for _, f := range options.Node.Fields {
				checkCapturesIn(c.Report, options.At(f.Name), groups)
			}
		}
	}
}

// groupsOf are the named groups of each path that leads to an instance of a scope.
func (c captureCheck) groupsOf(scope config.Scope) [][]string {
	var groups [][]string
	for i := range c.routes {
		r := &c.routes[i]
		if c.includes(scope, r) && !c.hidden(scope, r) {
			groups = append(groups, r.CaptureNames()...)
		}
	}
	return groups
}

// includes reports whether a scope's route and service, if any, are those of a route.
func (c captureCheck) includes(scope config.Scope, r *config.Route) bool {
	return (scope.Route == "" || scope.Route == r.Name || scope.Route == r.ID) &&
		(scope.Service == "" || scope.Service == c.names.Of(config.KindService, r.Service))
}

// hidden reports whether another instance serves all requests of a route that one of the
// scope would: one of the route before one of its service, and that before a global one.
func (c captureCheck) hidden(scope config.Scope, r *config.Route) bool {
	if scope.Consumer != "" || scope.ConsumerGroup != "" {
		return false
	}
	return slices.ContainsFunc(c.served, func(s config.Scope) bool {
		precedes := scope.Route == "" && (s.Route != "" || scope.Service == "" && s.Service != "")
		return precedes && s.Consumer == "" && s.ConsumerGroup == "" && c.includes(s, r)
	})
}

// checkCapturesIn warns of a text that takes a named group which a path lacks.
func checkCapturesIn(r *report.Report, text tree.Cursor, groups [][]string) {
	for _, match := range captured.FindAllStringSubmatch(text.Node.Str(), -1) {
		name, having := match[1], 0
		for _, of := range groups {
			if slices.Contains(of, name) {
				having++
			}
		}
		if text.Node.Hidden {
			name = report.Redacted
		}
		switch group := "the group (?<" + name + ">…)"; {
		case having == 0:
			r.Warn(text.Pos, text.Path, "no route that the plugin applies to has "+group+" in a path: its requests are answered with 400")
		case having < len(groups):
			r.Warn(text.Pos, text.Path, "not every path that leads to the plugin has "+group+": this target cannot serve requests over the others")
		}
	}
}
