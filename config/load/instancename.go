package load

import (
	"strconv"

	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/tree"
)

// instanceNames are the plugins that have an instance_name, by it.
type instanceNames map[string]*namedPlugin

type namedPlugin struct {
	node *tree.Node
	// written is how often the plugin was written in a conversion.
	written int
}

// check reports a name that another plugin has. One resource of Kubernetes that is bound to
// several entities counts once.
func (names instanceNames) check(r *report.Report, item format.Item) {
	name := item.Node.Get("instance_name")
	if name.Str() == "" || name.Broken {
		return
	}
	first := names[name.Text]
	switch {
	case first == nil:
		names[name.Text] = &namedPlugin{node: item.Node}
	case first.node != item.Node:
		r.Problem(name.Pos, report.Join(item.Path, "instance_name"), "got a second plugin of the same instance_name, first at %s", first.node.Get("instance_name").Pos)
	}
}

// distinct returns a plugin under a name that no other one is written with: other formats
// have one plugin for each entity that a resource of Kubernetes is bound to.
func (names instanceNames) distinct(n *tree.Node) *tree.Node {
	name := n.Get("instance_name")
	plugin := names[name.Str()]
	if plugin == nil {
		return n
	}
	for plugin.written++; plugin.written > 1; plugin.written++ {
		text := name.Text + "-" + strconv.Itoa(plugin.written)
		if names[text] == nil {
			return n.With("instance_name", name.WithText(text))
		}
	}
	return n
}
