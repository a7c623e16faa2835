package schema

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
)

// Check reports what is wrong with a value and with everything below it, as far as each
// field can be checked alone. Null is as good as missing.
func Check(r *report.Report, path string, f *Field, n *tree.Node) {
	checker{r}.value(path, f, n)
}

// Unique returns the fields of an object without those whose names occur a second time,
// which are faults. f describes the object.
func Unique(r *report.Report, path string, f *Field, n *tree.Node) []tree.Field {
	return checker{r}.unique(path, f, n)
}

// checker holds values against their fields.
type checker struct{ *report.Report }

func (c checker) value(path string, f *Field, n *tree.Node) {
	if n.Broken || n.Kind == tree.Null {
		return
	}
	if f.Reference {
		c.reference(path, n)
		return
	}
	switch f.Kind {
	case tree.Object:
		c.object(path, f, n)
	case tree.List:
		c.list(path, f, n)
	case tree.Bool:
		if _, ok := n.Bool(); !ok {
			c.Want(n.Pos, path, f.Shown(n), "true or false")
		}
	case tree.Int, tree.Float:
		c.number(path, f, n)
	default:
		c.text(path, f, n)
	}
}

func (c checker) object(path string, f *Field, n *tree.Node) {
	if n.Kind != tree.Object {
		c.Want(n.Pos, path, n.Kind.Article(), "an object")
		return
	}
	if f.FreeForm || f.Fields == nil {
		return
	}
	for _, child := range c.unique(path, f, n) {
		c.field(path, f, child)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		child := f.Fields[name]
		if child.MustBeGiven() && !n.Has(name) {
			c.Want(n.Pos, report.Join(path, name), "nothing", child.Wanted())
		}
	}
}

func (c checker) unique(path string, f *Field, n *tree.Node) []tree.Field {
	var fields []tree.Field
	first := map[string]config.Position{}
	for _, child := range n.Fields {
		if at, repeated := first[child.Name]; repeated {
			c.Problem(child.Pos, report.Join(path, f.shownName(child)), "got the field twice, first on line %d", at.Line)
			continue
		}
		first[child.Name] = child.Pos
		fields = append(fields, child)
	}
	return fields
}

func (c checker) field(path string, f *Field, child tree.Field) {
	known := f.Fields[child.Name]
	path = report.Join(path, f.shownName(child))
	if known == nil {
		c.unknown(path, f, child)
		return
	}
	if known.NewSince != "" && child.Value.Kind != tree.Null {
		c.Problem(child.Pos, path, "got a field of Kong %s, newer than the configuration's version", known.NewSince)
		return
	}
	c.value(path, known, child.Value)
}

// unknown reports a field that is not known. It may be one of a version that is newer than
// the known ones, if it is like no field that is.
func (c checker) unknown(path string, f *Field, child tree.Field) {
	instead := cmp.Or(replacement(path), tree.Suggest(child, f.Fields))
	switch {
	case child.Value.Broken && child.Hidden:
	case f.Open && instead == "":
		c.Warn(child.Pos, path, "unknown field is ignored: it may be one of a newer version")
	default:
		c.Problem(child.Pos, path, "unknown field%s", instead)
	}
}

// reference checks the name of another entity.
func (c checker) reference(path string, n *tree.Node) {
	switch name, ok := n.Reference(); {
	case !ok || name == "":
		c.Want(n.Pos, path, n.Kind.Article(), "a name or an id")
	case strings.ContainsFunc(name, unicode.IsControl):
		c.Want(n.Pos, path, "a control character", "a name without any")
	}
}

// isName has the fields that name something. Names are in logs, headers and Envoy's
// configuration.
var isName = map[string]bool{
	"name": true, "username": true, "custom_id": true, "id": true, "group": true, "instance_name": true,
}

func (c checker) list(path string, f *Field, n *tree.Node) {
	if n.Kind != tree.List {
		c.Want(n.Pos, path, n.Kind.Article(), "a list")
		return
	}
	if len(n.Items) < f.MinLength {
		c.Want(n.Pos, path, report.Count(len(n.Items), "element"), "at least "+strconv.Itoa(f.MinLength))
	}
	for i, item := range n.Items {
		at := report.Index(path, i)
		if item.Kind == tree.Null && !item.Broken {
			c.Want(item.Pos, at, "null", f.Elements.Wanted())
			continue
		}
		c.value(at, f.Elements, item)
	}
}

func (c checker) text(path string, f *Field, n *tree.Node) {
	value := f.value(n.Text)
	switch {
	case n.Kind != tree.String:
		c.Want(n.Pos, path, f.Shown(n), f.Wanted())
	case n.Text == "":
		c.Want(n.Pos, path, "an empty string", f.Wanted())
	case isName[f.Name] && strings.ContainsFunc(n.Text, unicode.IsControl):
		c.Want(n.Pos, path, "a control character", "a name without any")
	case f.FreeSince != "":
		c.Warn(n.Pos, path, "Kong accepts any text here since "+f.FreeSince+"; the values of the configured version are not checked")
	case f.Values == nil:
	case value == nil:
		c.Want(n.Pos, path, f.Shown(n), f.Wanted())
	case value.NewSince != "":
		c.Want(n.Pos, path, f.Shown(n)+" of Kong "+value.NewSince, f.Wanted())
	}
}

func (c checker) number(path string, f *Field, n *tree.Node) {
	number, ok := f.Number(n)
	if !ok || f.Min != nil && number < *f.Min || f.Max != nil && number > *f.Max {
		c.Want(n.Pos, path, f.Shown(n), f.Wanted())
	}
}

// Number returns the number that a value has for the field, if it has one of the right
// kind.
func (f *Field) Number(n *tree.Node) (float64, bool) {
	if f.OrString && n.Kind == tree.String && tree.IsNumber(n.Text) {
		n = &tree.Node{Kind: tree.Int, Text: n.Text}
	}
	if f.Kind == tree.Int {
		i, ok := n.Int()
		return float64(i), ok
	}
	return n.Number()
}
