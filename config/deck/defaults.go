package deck

import (
	"semlb/config"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

// infoKeys are the keys of _info. Those that are false only choose what decK manages.
var infoKeys = map[string]bool{"defaults": true, "default_lookup_tags": false, "select_tags": false}

// defaultKeys are the keys of _info.defaults, and whether they are read. decK has defaults
// for these entities only (https://developer.konghq.com/deck/gateway/defaults/).
var defaultKeys = map[string]bool{config.KindService: true, config.KindRoute: true, "upstream": false, "target": false}

// info notes the defaults of _info. Of several files, the first that gives a value counts.
func (r *reader) info(path string, n *tree.Node) {
	for _, f := range r.fieldsOf(path, n, infoKeys) {
		if f.Name != "defaults" {
			continue
		}
		path := report.Join(path, f.Name)
		for _, f := range r.fieldsOf(path, f.Value, defaultKeys) {
			switch {
			case !defaultKeys[f.Name]:
			case f.Value.Kind != tree.Object:
				r.Want(f.Pos, report.Join(path, f.Name), f.Value.Kind.Article(), "an object")
			default:
				r.defaults[f.Name] = r.defaults[f.Name].OrObject(f.Pos).Merged(f.Value)
			}
		}
	}
}

// fieldsOf returns the fields of an object that has some of the known keys.
func (r *reader) fieldsOf(path string, n *tree.Node, known map[string]bool) []tree.Field {
	if n.Kind == tree.Null || n.Broken {
		return nil
	}
	if n.Kind != tree.Object {
		r.Want(n.Pos, path, n.Kind.Article(), "an object")
		return nil
	}
	var fields []tree.Field
	for _, f := range schema.Unique(&r.Report, path, &schema.Field{}, n) {
		if _, ok := known[f.Name]; !ok {
			r.Problem(f.Pos, report.Join(path, f.Shown()), "unknown field%s", tree.Suggest(f, known))
			continue
		}
		if f.Value.Kind != tree.Null {
			fields = append(fields, f)
		}
	}
	return fields
}

// withDefaults returns an entity with the defaults of its kind, and of the routes in it.
func (r *reader) withDefaults(kind, path string, n *tree.Node) *tree.Node {
	if n.Kind != tree.Object {
		return n
	}
	if routes := n.Get("routes"); kind == config.KindService && routes != nil && routes.Kind == tree.List {
		list := *routes
		list.Items = make([]*tree.Node, len(routes.Items))
		for i, route := range routes.Items {
			list.Items[i] = r.withDefaults(config.KindRoute, report.Index(report.Join(path, "routes"), i), route)
		}
		n = n.With("routes", &list)
	}
	defaults := r.defaults[kind]
	if defaults == nil {
		return n
	}
	if !r.Charge(defaults) {
		r.Problem(n.Pos, path, "got more than %d values, defaults counted as often as they are used", tree.MaxValues)
		return n
	}
	return n.Merged(defaults)
}
