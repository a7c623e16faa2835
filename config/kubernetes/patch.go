package kubernetes

import (
	"slices"
	"strconv"
	"strings"

	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

// patch is an element of a plugin's configPatches.
type patch struct {
	plugin *plugin
	path   string
	change *tree.Node
	// settings describes what is patched.
	settings *schema.Field
}

// patch returns the settings with the value of a secret added where a JSON pointer
// says, by the rules of RFC 6902's "add".
func (r *reader) patch(p patch, settings *tree.Node) *tree.Node {
	pointer := p.change.Get("path")
	text, ok := strings.CutPrefix(pointer.Str(), "/")
	steps := strings.Split(text, "/")
	from := p.change.Get("valueFrom").OrObject(p.change.Pos)
	value := r.secrets.value(p.plugin.key.namespace, report.Join(p.path, "valueFrom"), from, p.settings.FindPointer(steps))
	if !ok {
		r.Want(p.change.Pos, report.Join(p.path, "path"), "an invalid path", "a JSON pointer such as /targets/0/auth")
		return settings
	}
	patched, ok := add(settings.OrObject(p.change.Pos), steps, value)
	if !ok {
		r.Problem(pointer.Pos, report.Join(p.path, "path"), "no such path in the config")
		return settings.OrObject(p.change.Pos)
	}
	return patched
}

// unescaped undoes the escapes in a step of a JSON pointer (RFC 6901).
var unescaped = strings.NewReplacer("~1", "/", "~0", "~")

// add returns a value with another one added at a pointer. All but the last of its steps
// must exist.
func add(n *tree.Node, pointer []string, value *tree.Node) (*tree.Node, bool) {
	name, rest := unescaped.Replace(pointer[0]), pointer[1:]
	switch n.Kind {
	case tree.Object:
		if len(rest) == 0 {
			return n.With(name, value), true
		}
		child := n.Get(name)
		if child == nil {
			return nil, false
		}
		child, ok := add(child, rest, value)
		if !ok {
			return nil, false
		}
		return n.With(name, child), true
	case tree.List:
		return addElement(n, name, rest, value)
	default:
		return nil, false
	}
}

// addElement adds a value before or, where more of the pointer follows, into an
// element of a list. "-" is behind the last one.
func addElement(n *tree.Node, name string, rest []string, value *tree.Node) (*tree.Node, bool) {
	i, err := strconv.Atoi(name)
	if name == "-" {
		i, err = len(n.Items), nil
	}
	if err != nil || i < 0 || i > len(n.Items) || len(rest) > 0 && i == len(n.Items) {
		return nil, false
	}
	c := *n
	if len(rest) == 0 {
		c.Items = slices.Insert(slices.Clone(n.Items), i, value)
		return &c, true
	}
	child, ok := add(n.Items[i], rest, value)
	c.Items = slices.Clone(n.Items)
	c.Items[i] = child
	return &c, ok
}
