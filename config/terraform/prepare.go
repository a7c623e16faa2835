package terraform

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"semlb/config/report"
)

// prepare makes an expression ready to be evaluated: words such as var.key in strings
// become references, and loops count what they cost. It reports whether all functions
// are known.
func (e *evaluator) prepare(at location, x hclsyntax.Expression) bool {
	if e.prepared[x] {
		return true
	}
	ok := true
	_ = hclsyntax.VisitAll(x, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.FunctionCallExpr:
			if _, known := e.functions[n.Name]; !known {
				e.Problem(at.file.position(n.NameRange), at.path, "not supported yet: function %s", shownName(n.Name))
				ok = false
			}
		case *hclsyntax.TemplateExpr:
			e.variableWords(at, n)
		case *hclsyntax.ForExpr:
			// A loop that fails continues with its next iteration, which must not loop again.
			// The body of an iteration whose condition fails is not evaluated.
			if n.CondExpr == nil {
				n.CondExpr = &hclsyntax.LiteralValueExpr{Val: cty.True, SrcRange: n.SrcRange}
			}
			n.CollExpr, n.ValExpr, n.CondExpr = metered(n.CollExpr), metered(n.ValExpr), metered(n.CondExpr)
		}
		return nil
	})
	e.prepared[x] = ok
	return ok
}

// metered returns the body of a loop inside a call that counts its value. It is called
// once per iteration, so that a loop over many values inside another one ends.
func metered(body hclsyntax.Expression) hclsyntax.Expression {
	if call, ok := body.(*hclsyntax.FunctionCallExpr); ok && call.Name == meterFunction {
		return body
	}
	return &hclsyntax.FunctionCallExpr{
		Name: meterFunction, Args: []hclsyntax.Expression{body}, NameRange: body.Range(),
		OpenParenRange: body.Range(), CloseParenRange: body.Range(),
	}
}

// splitReference returns the root of a traversal and the name behind it, such as var and
// key. The name is empty where there is an index instead.
func splitReference(t hcl.Traversal) (root, name string) {
	if t.IsRelative() {
		return "", ""
	}
	return t.RootName(), attributeName(t, 1)
}

// attributeName returns the name of a step, or "".
func attributeName(t hcl.Traversal, i int) string {
	if i < len(t) {
		if a, ok := t[i].(hcl.TraverseAttr); ok {
			return a.Name
		}
	}
	return ""
}

// anyWord matches what stands between spaces.
var anyWord = regexp.MustCompile(`\S+`)

// variableWords makes references of words such as var.key that are written into a
// string, where Terraform takes them literally: published examples mean the variable.
func (e *evaluator) variableWords(at location, x *hclsyntax.TemplateExpr) {
	literal, ok := x.Parts[0].(*hclsyntax.LiteralValueExpr)
	if !ok || len(x.Parts) > 1 {
		return
	}
	value, _ := literal.Val.Unmark()
	if value.IsNull() || value.Type() != cty.String || !strings.Contains(value.AsString(), "var.") {
		return
	}
	pos, text := at.file.position(x.Range()), value.AsString()
	var parts []hclsyntax.Expression
	done := 0
	for _, m := range anyWord.FindAllStringIndex(text, -1) {
		word := text[m[0]:m[1]]
		name, isVariable := strings.CutPrefix(word, "var.")
		switch {
		case !isVariable || !hclsyntax.ValidIdentifier(name):
			continue
		case e.variables[name] == nil:
			e.Warn(pos, at.path, report.Quote(word)+" is not a declared variable; it is used literally")
			continue
		}
		word = report.Shorten(word)
		e.Warn(pos, at.path, "Terraform takes "+word+" in a string literally; semlb substitutes it: write ${"+word+"}")
		parts = append(parts, stringExpr(text[done:m[0]], x.SrcRange), variableExpr(name, x.SrcRange))
		done = m[1]
	}
	if parts != nil {
		x.Parts = append(parts, stringExpr(text[done:], x.SrcRange))
	}
}

func stringExpr(text string, at hcl.Range) hclsyntax.Expression {
	return &hclsyntax.LiteralValueExpr{Val: cty.StringVal(text), SrcRange: at}
}

func variableExpr(name string, at hcl.Range) hclsyntax.Expression {
	return &hclsyntax.ScopeTraversalExpr{SrcRange: at, Traversal: hcl.Traversal{
		hcl.TraverseRoot{Name: "var", SrcRange: at}, hcl.TraverseAttr{Name: name, SrcRange: at},
	}}
}
