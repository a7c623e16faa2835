package config

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
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
	variables map[string]*tfVariable
	locals    map[string]*tfLocal
	// resources are those of Kong, by type and label.
	resources map[string]*tfResource
	order     []*tfResource
	// text is how much text templates have made.
	text int
}

// tfVariable is a variable. Its value is given by a .tfvars file, by the
// environment, or by a default.
type tfVariable struct {
	pos       Position
	fallback  hclsyntax.Expression
	given     hclsyntax.Expression
	sensitive bool
	complex   bool
	file      *tfFile
	value     *node
}

// tfLocal is a local value.
type tfLocal struct {
	pos    Position
	expr   hclsyntax.Expression
	file   *tfFile
	value  *node
	asking bool
}

// tfResource is a resource of Kong.
type tfResource struct {
	kind, label string
	pos         Position
	body        *hclsyntax.Body
	file        *tfFile
	asking      bool
}

// tfFile is a file that positions and numbers are taken from.
type tfFile struct {
	name string
	text []byte
}

func newTerraform() terraform {
	return terraform{variables: map[string]*tfVariable{}, locals: map[string]*tfLocal{}, resources: map[string]*tfResource{}}
}

func (f *tfFile) position(r hcl.Range) Position {
	return Position{File: f.name, Line: r.Start.Line, Column: r.Start.Column}
}

// hclFile notes the blocks of a Terraform file.
func (l *loader) hclFile(source Source) {
	file := &tfFile{name: source.Name}
	var fault *Fault
	if file.text, fault = l.withoutProse(source); fault == nil {
		fault = file.measure()
	}
	if fault != nil {
		l.add(*fault)
		return
	}
	parsed, diags := hclsyntax.ParseConfig(file.text, source.Name, hcl.InitialPos)
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			l.hclFault(file, d)
		}
	}
	if diags.HasErrors() {
		return
	}
	body := parsed.Body.(*hclsyntax.Body)
	if strings.HasSuffix(source.Name, ".tfvars") {
		for name, a := range body.Attributes {
			l.hclVariable(name, file, a.NameRange).given = a.Expr
		}
		return
	}
	for _, a := range body.Attributes {
		l.problem(file.position(a.NameRange), "", "read Terraform: an attribute outside of a block")
	}
	for _, b := range body.Blocks {
		l.hclBlock(file, b)
	}
}

// hclFault tells what the parser says. What it quotes may be anything, so that only
// the kind of the error is told.
func (l *loader) hclFault(file *tfFile, d *hcl.Diagnostic) {
	pos := Position{File: file.name}
	if d.Subject != nil {
		pos = file.position(*d.Subject)
	}
	l.problem(pos, "", "read Terraform: %s", strings.ToLower(limited(d.Summary)))
}

// withoutProse returns the text of a file with lines of prose outside of any block
// taken out, as documentation that is copied whole has them. Each is a warning.
func (l *loader) withoutProse(source Source) ([]byte, *Fault) {
	header := regexp.MustCompile(`^[\pL_][\pL\pN_-]*(\s+("[^"]*"|[\pL_][\pL\pN_-]*))*\s*\{`)
	attribute := regexp.MustCompile(`^[\pL_][\pL\pN_-]*\s*=`)
	var lines []int
	text := bytes.Clone(source.Data)
	starts := append(lineStarts(source.Data), len(source.Data))
	for i := range len(starts) - 1 {
		line := bytes.TrimRight(source.Data[starts[i]:starts[i+1]], "\r\n")
		if len(line) == 0 || bytes.ContainsAny(line[:1], " \t}])#/\"") || header.Match(line) || attribute.Match(line) {
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
		l.warn(Position{File: source.Name, Line: i + 1, Column: 1}, "", "a line of prose, which Terraform does not take, is not read")
	}
	return text, nil
}

func blank(text []byte) {
	for i := range text {
		text[i] = ' '
	}
}

// depths returns how many brackets, strings and heredocs are open where each line
// starts.
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
		for ; open > 0 && line < t.Range.End.Line && line < len(depth); line++ {
			depth[line] = open
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

// hclVariable returns the variable of a name, which it notes if it is new.
func (l *loader) hclVariable(name string, file *tfFile, at hcl.Range) *tfVariable {
	v := l.tf.variables[name]
	if v == nil {
		v = &tfVariable{pos: file.position(at), file: file}
		l.tf.variables[name] = v
	}
	return v
}
