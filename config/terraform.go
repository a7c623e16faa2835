package config

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Bounds of a Terraform file. Its parser calls itself for every bracket, operator
// and condition, so that they are counted before it is called.
const (
	maxTokens     = 300_000
	maxConditions = 1000
	maxTermText   = 16 << 20
)

// terraform gathers the blocks of all Terraform files, which are one module: they
// refer to each other whatever their order and files.
type terraform struct {
	*loader
	variables map[string]*tfVariable
	locals    map[string]*tfLocal
	// resources are those of Kong, by type and label.
	resources map[string]*tfResource
	order     []*tfResource
	// evaluator evaluates what was gathered, when all is known.
	evaluator *tfEvaluator
}

// tfResource is a resource of Kong.
type tfResource struct {
	kind, label string
	pos         Position
	body        *hclsyntax.Body
	file        *tfFile
	evaluating  bool
}

// tfFile is a file that positions and numbers are taken from.
type tfFile struct {
	name string
	text []byte
}

func newTerraform(l *loader) *terraform {
	return &terraform{loader: l, variables: map[string]*tfVariable{}, locals: map[string]*tfLocal{}, resources: map[string]*tfResource{}}
}

func (f *tfFile) position(r hcl.Range) Position {
	return Position{File: f.name, Line: r.Start.Line, Column: r.Start.Column}
}

// readFile notes the blocks of a Terraform file.
func (t *terraform) readFile(source Source) {
	file := &tfFile{name: source.Name}
	var fault *Fault
	if file.text, fault = t.withoutProse(source); fault == nil {
		fault = file.measure()
	}
	if fault != nil {
		t.add(*fault)
		return
	}
	parsed, diags := hclsyntax.ParseConfig(file.text, source.Name, hcl.InitialPos)
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			t.syntaxFault(file, d)
		}
	}
	if diags.HasErrors() {
		return
	}
	body := parsed.Body.(*hclsyntax.Body)
	fault = file.markLiterals(body, func(l *hclsyntax.LiteralValueExpr) Position { return file.position(l.SrcRange) })
	if fault != nil {
		t.add(*fault)
		return
	}
	if strings.HasSuffix(source.Name, ".tfvars") {
		for name, a := range body.Attributes {
			t.declared(name, file, a.NameRange).given = &tfExpr{tfPlace{file, "var." + name}, a.Expr}
		}
		return
	}
	for _, a := range body.Attributes {
		t.problem(file.position(a.NameRange), "", "read Terraform: an attribute outside of a block")
	}
	for _, b := range body.Blocks {
		t.block(file, b)
	}
}

// syntaxFault notes an error of the parser. What its detail quotes may be anything, so
// that only its summary is shown.
func (t *terraform) syntaxFault(file *tfFile, d *hcl.Diagnostic) {
	pos := Position{File: file.name}
	if d.Subject != nil {
		pos = file.position(*d.Subject)
	}
	t.problem(pos, "", "read Terraform: %s", strings.ToLower(limited(d.Summary)))
}

var (
	blockHeader    = regexp.MustCompile(`^[\pL_][\pL\pN_-]*(\s+("[^"]*"|[\pL_][\pL\pN_-]*))*\s*\{`)
	attributeStart = regexp.MustCompile(`^[\pL_][\pL\pN_-]*\s*=`)
)

// withoutProse returns the text of a file with lines of prose outside of any block
// taken out, as documentation that is copied whole has them. Each is a warning.
func (t *terraform) withoutProse(source Source) ([]byte, *Fault) {
	var lines []int
	text := bytes.Clone(source.Data)
	starts := append(lineStarts(source.Data), len(source.Data))
	for i := range len(starts) - 1 {
		line := bytes.TrimRight(source.Data[starts[i]:starts[i+1]], "\r\n")
		if len(line) == 0 || bytes.ContainsAny(line[:1], " \t}])#/\"") || blockHeader.Match(line) || attributeStart.Match(line) ||
			bytes.Contains(line, []byte("/*")) || bytes.Contains(line, []byte("*/")) {
			continue
		}
		lines = append(lines, i)
		blank(text[starts[i] : starts[i]+len(line)])
	}
	if lines == nil {
		return text, nil
	}
	depth, fault := depths(source.Name, text, len(starts))
	if fault != nil {
		return nil, fault
	}
	for _, i := range lines {
		if depth[i] > 0 {
			copy(text[starts[i]:starts[i+1]], source.Data[starts[i]:starts[i+1]])
			continue
		}
		t.warn(Position{File: source.Name, Line: i + 1, Column: 1}, "", "a line of prose, which Terraform does not take, is not read")
	}
	return text, nil
}

func blank(text []byte) {
	for i := range text {
		text[i] = ' '
	}
}

// depths returns how many brackets, strings, heredocs and comments are open where each
// line starts.
func depths(name string, text []byte, lines int) ([]int, *Fault) {
	tokens, fault := lex(name, text)
	if fault != nil {
		return nil, fault
	}
	depth := make([]int, lines+1)
	open, line := 0, 0
	for _, t := range tokens {
		for ; line < t.Range.Start.Line && line < len(depth); line++ {
			depth[line] = open
		}
		open = max(0, open+opens(t.Type))
		inside := open
		if t.Type == hclsyntax.TokenComment && t.Range.End.Column > 1 { // one to the line's end ends on the next
			inside++
		}
		for ; inside > 0 && line < t.Range.End.Line && line < len(depth); line++ {
			depth[line] = inside
		}
	}
	return depth, nil
}

// lex returns the tokens of a text. Its errors are left to the parser.
func lex(name string, text []byte) (hclsyntax.Tokens, *Fault) {
	tokens, _ := hclsyntax.LexConfig(text, name, hcl.InitialPos)
	if len(tokens) > maxTokens {
		return nil, &Fault{Position: Position{File: name}, Problem: "too many values"}
	}
	return tokens, nil
}

// opens returns 1 for a token that opens something, and -1 for one that closes it.
func opens(t hclsyntax.TokenType) int {
	switch t {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
		hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return 1
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
		hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
		return -1
	default:
		return 0
	}
}

// measure returns the fault of a file that is nested too deeply for the parser.
func (f *tfFile) measure() *Fault {
	tokens, fault := lex(f.name, f.text)
	if fault != nil {
		return fault
	}
	open, row, conditions := 0, 0, 0
	for _, t := range tokens {
		open = max(0, open+opens(t.Type))
		switch t.Type {
		case hclsyntax.TokenMinus, hclsyntax.TokenBang:
			row++
		case hclsyntax.TokenQuestion:
			conditions++
		default:
			row = 0
		}
		if open > 2*maxHeight || row > maxHeight || conditions > maxConditions {
			problem := fmt.Sprintf("got values nested deeper than %d levels", maxHeight)
			return &Fault{Position: f.position(t.Range), Problem: problem}
		}
	}
	return nil
}

// declared returns the variable of a name, which it notes if it is new.
func (t *terraform) declared(name string, file *tfFile, at hcl.Range) *tfVariable {
	v := t.variables[name]
	if v == nil {
		v = &tfVariable{pos: file.position(at), file: file, typ: cty.DynamicPseudoType}
		t.variables[name] = v
	}
	return v
}
