package terraform

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyconvert "github.com/zclconf/go-cty/cty/convert"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/tree"
)

// module is what all files declare together: its parts refer to each other whatever
// their order and files.
type module struct {
	variables map[string]*variable
	locals    map[string]*local
	// resources are those of Kong, by type and label; order has them as they were read.
	resources map[string]*resource
	order     []*resource
}

// resource is a resource of Kong.
type resource struct {
	kind, label string
	pos         config.Position
	body        *hclsyntax.Body
	file        *file
	// evaluating is set while one of the attributes is evaluated.
	evaluating bool
}

// path is what faults call the resource.
func (r *resource) path() string { return konnectPrefix + r.kind + "." + r.label }

// reader reads Terraform files.
type reader struct {
	*format.Input
	*module
}

func newReader(in *format.Input) format.Reader {
	return &reader{in, &module{
		variables: map[string]*variable{}, locals: map[string]*local{}, resources: map[string]*resource{},
	}}
}

// Read notes what a file declares.
func (r *reader) Read(d format.Document) {
	if strings.HasSuffix(d.Name, jsonEnding) {
		r.Problem(config.Position{File: d.Name}, "", "not supported yet: Terraform in JSON; write it as .tf")
		return
	}
	if strings.HasSuffix(d.Name, jsonValuesEnding) {
		r.jsonValues(d)
		return
	}
	f := &file{name: d.Name, text: d.Text, beside: d.Files}
	body := r.parse(f)
	if body == nil {
		return
	}
	if isValues(d.Name) {
		for name, a := range body.Attributes {
			r.give(f, name, a.NameRange, a.Expr)
		}
		return
	}
	for _, a := range body.Attributes {
		r.Problem(f.position(a.NameRange), "", "read Terraform: an attribute outside of a block")
	}
	for _, b := range body.Blocks {
		r.block(f, b)
	}
}

// parse returns the syntax tree of a file, or nil where it has a fault.
func (r *reader) parse(f *file) *hclsyntax.Body {
	prose, fault := f.blankProse()
	if fault == nil {
		fault = f.measure()
	}
	if fault != nil {
		r.Add(*fault)
		return nil
	}
	for _, i := range prose {
		r.Warn(config.Position{File: f.name, Line: i + 1, Column: 1}, "", "a line that is not Terraform is ignored")
	}
	parsed, diags := hclsyntax.ParseConfig(f.text, f.name, hcl.InitialPos)
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			r.syntaxFault(f, d)
		}
	}
	if diags.HasErrors() {
		return nil
	}
	body := parsed.Body.(*hclsyntax.Body)
	if fault := f.markLiterals(body, func(l *hclsyntax.LiteralValueExpr) config.Position { return f.position(l.SrcRange) }); fault != nil {
		r.Add(*fault)
		return nil
	}
	return body
}

// syntaxFault reports an error of the parser. Its detail may quote anything, so that only
// its summary is shown.
func (r *reader) syntaxFault(f *file, d *hcl.Diagnostic) {
	pos := config.Position{File: f.name}
	if d.Subject != nil {
		pos = f.position(*d.Subject)
	}
	r.Problem(pos, "", "read Terraform: %s", strings.ToLower(report.Shorten(d.Summary)))
}

// block notes what a block declares.
func (r *reader) block(f *file, b *hclsyntax.Block) {
	pos := f.position(b.TypeRange)
	switch b.Type {
	case "terraform", "provider", "output", "moved", "removed", "import", "check":
		// They say nothing of what a gateway does.
	case "variable":
		if r.labels(f, b, 1) {
			r.declaration(f, b)
		}
	case "locals":
		r.localsBlock(f, b)
	case "resource":
		if r.labels(f, b, 2) {
			r.resource(f, b)
		}
	case "module":
		r.call(f, b)
	default:
		r.Warn(pos, "", "block "+report.Quote(strings.Join(append([]string{b.Type}, b.Labels...), " "))+" is ignored")
	}
}

// labels reports whether a block has a number of labels. Any other is a fault.
func (r *reader) labels(f *file, b *hclsyntax.Block, want int) bool {
	if len(b.Labels) == want {
		return true
	}
	r.Want(f.position(b.TypeRange), b.Type, report.Count(len(b.Labels), "label"), []string{"0", "1", "2"}[want])
	return false
}

func (r *reader) localsBlock(f *file, b *hclsyntax.Block) {
	for _, name := range slices.Sorted(maps.Keys(b.Body.Attributes)) {
		a := b.Body.Attributes[name]
		pos := f.position(a.NameRange)
		if first, repeated := r.locals[name]; repeated {
			r.Problem(pos, "local."+name, "got the value twice, first at %s", first.pos)
			continue
		}
		r.locals[name] = &local{pos: pos, expression: expression{location{f, "local." + name}, a.Expr}}
	}
}

// variable returns the variable of a name, which it notes if it is new.
func (r *reader) variable(name string, f *file, at hcl.Range) *variable {
	v := r.variables[name]
	if v == nil {
		v = &variable{pos: f.position(at), file: f, typ: cty.DynamicPseudoType}
		r.variables[name] = v
	}
	return v
}

// declaration notes a variable's declaration.
func (r *reader) declaration(f *file, b *hclsyntax.Block) {
	v := r.variable(b.Labels[0], f, b.TypeRange)
	if v.declared {
		r.Problem(f.position(b.TypeRange), "var."+b.Labels[0], "got the variable twice, first at %s", v.pos)
		return
	}
	v.pos, v.file, v.declared = f.position(b.TypeRange), f, true
	for name, a := range b.Body.Attributes {
		switch name {
		case "default":
			v.fallback = &expression{location{f, "var." + b.Labels[0]}, a.Expr}
		case "sensitive", "ephemeral": // neither is written where Terraform keeps values
			v.sensitive = v.sensitive || isTrue(a.Expr)
		case "type":
			if typ, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.Expr); !diags.HasErrors() {
				unmarkDefaults(defaults)
				v.typ, v.defaults = typ, defaults
			}
		}
	}
}

// isTrue reports whether an expression without references is true, or "true", which
// Terraform takes too.
func isTrue(x hclsyntax.Expression) bool {
	value, _ := x.Value(nil)
	value, _ = value.Unmark()
	value, err := ctyconvert.Convert(value, cty.Bool)
	return err == nil && value.IsKnown() && !value.IsNull() && value.True()
}

// resource notes a resource of Kong; others are named in a warning.
func (r *reader) resource(f *file, b *hclsyntax.Block) {
	pos, path := f.position(b.TypeRange), strings.Join(b.Labels, ".")
	kind, isKong := kongType(b.Labels[0])
	plugin, isPlugin := pluginNamed(kind)
	switch {
	case kind == "control_plane", kind == "workspace":
		return
	case isPlugin && r.SkipsPlugin(format.StringAt(pos, plugin), ""):
		return
	case !isKong && foreignPlugin.MatchString(b.Labels[0]):
		r.unread(pos, path, "resource "+report.Quote(path), "write it as a resource of Konnect's provider")
		return
	case !isKong || !isPlugin && !slices.Contains(resourceTypes, kind):
		r.Warn(pos, "", "resource "+report.Quote(path)+" is ignored")
		return
	}
	for _, name := range []string{"count", "for_each"} {
		if a := b.Body.Attributes[name]; a != nil {
			r.Problem(f.position(a.NameRange), path, "not supported yet: %s", name)
			return
		}
	}
	res := &resource{kind: kind, label: b.Labels[1], pos: pos, body: b.Body, file: f}
	key := kind + "." + res.label
	if first, repeated := r.resources[key]; repeated {
		r.Problem(pos, path, "got the resource twice, first at %s", first.pos)
		return
	}
	r.resources[key] = res
	r.order = append(r.order, res)
}

// shownName returns a name for a path or a message.
func shownName(name string) string { return tree.Field{Name: name}.Shown() }
