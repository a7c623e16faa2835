package config

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// prepare makes an expression ready to be evaluated: words such as var.key in strings
// become references, and loops count what they cost. It reports whether all functions
// are known.
func (t *tfEvaluator) prepare(at tfPlace, e hclsyntax.Expression) bool {
	if t.prepared[e] {
		return true
	}
	ok := true
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.FunctionCallExpr:
			if _, known := t.functions[n.Name]; !known {
				t.problem(at.file.position(n.NameRange), at.path, "not supported yet: function %s", printableName(n.Name))
				ok = false
			}
		case *hclsyntax.TemplateExpr:
			t.variableWords(at, n)
		case *hclsyntax.ForExpr:
			// A loop that fails goes on with its next iteration, which must not loop again.
			n.CollExpr, n.ValExpr = t.iteration(n.CollExpr), t.iteration(n.ValExpr)
			if n.CondExpr != nil {
				n.CondExpr = t.iteration(n.CondExpr)
			}
		}
		return nil
	})
	t.prepared[e] = ok
	return ok
}

// iteration returns the body of a loop inside a call that counts its value. It is called
// once per iteration, so that a loop over many values inside another one ends.
func (t *tfEvaluator) iteration(body hclsyntax.Expression) hclsyntax.Expression {
	if call, ok := body.(*hclsyntax.FunctionCallExpr); ok && call.Name == meterFunction {
		return body
	}
	return &hclsyntax.FunctionCallExpr{
		Name: meterFunction, Args: []hclsyntax.Expression{body}, NameRange: body.Range(),
		OpenParenRange: body.Range(), CloseParenRange: body.Range(),
	}
}

// variableWords makes references of words such as var.key that are written into a
// string, where Terraform takes them literally: published examples mean the variable.
func (t *tfEvaluator) variableWords(at tfPlace, e *hclsyntax.TemplateExpr) {
	literal, ok := e.Parts[0].(*hclsyntax.LiteralValueExpr)
	if !ok || len(e.Parts) > 1 {
		return
	}
	value, _ := literal.Val.Unmark()
	if value.IsNull() || value.Type() != cty.String || !strings.Contains(value.AsString(), "var.") {
		return
	}
	pos, text := at.file.position(e.Range()), value.AsString()
	var parts []hclsyntax.Expression
	done := 0
	for _, m := range anyWord.FindAllStringIndex(text, -1) {
		word := text[m[0]:m[1]]
		name, isVariable := strings.CutPrefix(word, "var.")
		switch {
		case !isVariable || !hclsyntax.ValidIdentifier(name):
			continue
		case t.variables[name] == nil:
			t.warn(pos, at.path, printable(word)+" is no variable that is declared; it is taken literally")
			continue
		}
		t.warn(pos, at.path, "Terraform takes "+limited(word)+" in a string literally; it is filled in here: write ${"+limited(word)+"}")
		parts = append(parts, stringExpr(text[done:m[0]], e.SrcRange), variableExpr(name, e.SrcRange))
		done = m[1]
	}
	if parts != nil {
		e.Parts = append(parts, stringExpr(text[done:], e.SrcRange))
	}
}

// anyWord matches what stands between spaces.
var anyWord = regexp.MustCompile(`\S+`)

func stringExpr(text string, at hcl.Range) hclsyntax.Expression {
	return &hclsyntax.LiteralValueExpr{Val: cty.StringVal(text), SrcRange: at}
}

func variableExpr(name string, at hcl.Range) hclsyntax.Expression {
	return &hclsyntax.ScopeTraversalExpr{SrcRange: at, Traversal: hcl.Traversal{
		hcl.TraverseRoot{Name: "var", SrcRange: at}, hcl.TraverseAttr{Name: name, SrcRange: at},
	}}
}
