package script

import (
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/tree"
)

// annotations are those that a script gives to resources, after all of its commands.
type annotations struct {
	resources []*annotated
	index     map[annotatedKey]*annotated
}

// annotatedKey is what a resource is called.
type annotatedKey struct{ kind, namespace, name string }

// annotated is a resource with its annotations.
type annotated struct {
	kind string
	meta *tree.Node
	pos  config.Position
	// fields are the annotations. Those that are taken away are empty.
	fields []tree.Field
	index  map[string]int
	// overwritten are the annotations that may change what the resource itself has.
	overwritten map[string]bool
}

// of returns a resource.
func (a *annotations) of(pos config.Position, kind string, namespace, name *tree.Node) *annotated {
	key := annotatedKey{kind, namespace.Text, name.Text}
	r := a.index[key]
	if r == nil {
		r = &annotated{kind: kind, meta: tree.NewObject("namespace", namespace, "name", name), pos: pos, index: map[string]int{}, overwritten: map[string]bool{}}
		if a.index == nil {
			a.index = map[annotatedKey]*annotated{}
		}
		a.index[key] = r
		a.resources = append(a.resources, r)
	}
	return r
}

// set gives a resource an annotation, and reports whether it may: kubectl changes one that
// is there with --overwrite only.
func (r *annotated) set(name string, value *tree.Node, overwrite bool) bool {
	f := tree.Field{Name: name, Pos: value.Pos, Hidden: value.Hidden, Value: value}
	i, found := r.index[name]
	r.overwritten[name] = r.overwritten[name] || overwrite
	if !found {
		r.index[name] = len(r.fields)
		r.fields = append(r.fields, f)
		return true
	}
	if old := r.fields[i].Value; old.Text != "" && old.Text != value.Text && !overwrite {
		return false
	}
	r.fields[i] = f
	return true
}

// remove takes an annotation away, also one that the resource itself has.
func (r *annotated) remove(name string, at *tree.Node) {
	r.overwritten[name] = true
	removed := format.StringAt(at.Pos, "")
	if i, found := r.index[name]; found {
		r.fields[i].Value = removed
		return
	}
	r.index[name] = len(r.fields)
	r.fields = append(r.fields, tree.Field{Name: name, Pos: at.Pos, Hidden: at.Hidden, Value: removed})
}

// node returns the resource with its annotations and nothing else.
func (r *annotated) node() *tree.Node {
	all := &tree.Node{Kind: tree.Object, Pos: r.pos, Fields: slices.Clone(r.fields)}
	root := tree.NewObject("apiVersion", format.StringAt(r.pos, "v1"), "kind", format.StringAt(r.pos, r.kind), "metadata", r.meta.With("annotations", all))
	return root.WithPos(r.pos)
}

// annotate reads annotations of resources: KIND NAME… KEY=VALUE… KEY-… or KIND/NAME…
// KEY=VALUE….
func (s kubectlReader) annotate(pos config.Position, namespace *tree.Node, args []*tree.Node) {
	first := slices.IndexFunc(args, func(a *tree.Node) bool { return strings.Contains(a.Text, "=") || strings.HasSuffix(a.Text, "-") })
	if first < 0 {
		first = len(args)
	}
	resources, given := named(args[:first]), args[first:]
	switch {
	case s.kubectlFlags.selected && slices.ContainsFunc(given, isKongs):
		s.Problem(pos, "", "not supported yet: annotations of resources that --all or --selector gives")
		return
	case s.conditional && slices.ContainsFunc(given, takesKongsAway):
		s.Problem(pos, "", "not supported yet: kubectl annotate that takes an annotation away, only if a condition is met or a function is called")
		return
	case len(resources) == 0 || len(given) == 0:
		s.Warn(pos, "", "add the name of the resource: kubectl annotate KIND NAME …")
		return
	}
	for _, resource := range resources {
		kind, name, _ := strings.Cut(resource.Text, "/")
		kind, _, _ = strings.Cut(kind, ".") // the API group
		known := kubectlKinds[strings.ToLower(kind)]
		if known == "" {
			s.Warn(pos, "", shownKind(resource, kind)+" is ignored")
			continue
		}
		s.made = true
		s.give(pos, s.annotations.of(pos, known, namespace, resource.WithText(name)), given)
	}
}

// give changes the annotations of a resource.
func (s kubectlReader) give(pos config.Position, r *annotated, given []*tree.Node) {
	for _, a := range given {
		name, value, ok := strings.Cut(a.Text, "=")
		switch {
		case ok && !r.set(name, a.WithText(value), s.kubectlFlags.overwrite):
			s.Problem(pos, "", "got an annotation that is there with another value: kubectl changes it with --overwrite only")
		case !ok:
			r.remove(strings.TrimSuffix(name, "-"), a)
		}
	}
}

// isKongs reports whether an argument is about an annotation of Kong's controller.
func isKongs(a *tree.Node) bool { return strings.HasPrefix(a.Text, "konghq.com/") }

// takesKongsAway reports whether an argument takes such an annotation away.
func takesKongsAway(a *tree.Node) bool { return isKongs(a) && !strings.Contains(a.Text, "=") }

// named returns resources as KIND/NAME.
func named(resources []*tree.Node) []*tree.Node {
	if len(resources) == 0 || strings.Contains(resources[0].Text, "/") {
		return resources
	}
	var all []*tree.Node
	for _, r := range resources[1:] {
		n := r.WithText(resources[0].Text + "/" + r.Text)
		n.Hidden = r.Hidden || resources[0].Hidden
		all = append(all, n)
	}
	return all
}

// dispatch passes the resources on.
func (s kubectlReader) dispatch() {
	for _, r := range s.annotations.resources {
		s.Dispatch(format.Document{Name: s.name, Root: r.node().AsArgument(), Partial: true, Overwrites: r.overwritten})
	}
}
