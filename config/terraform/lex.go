package terraform

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/tree"
)

// Bounds of a Terraform file. Its parser calls itself for every bracket, operator
// and condition, so that they are counted before it is called.
const (
	maxTokens     = 300_000
	maxConditions = 1000
)

var (
	firstBlock     = regexp.MustCompile(`^((resource|data)\s+"[^"]*"\s+"[^"]*"|(variable|provider|output|module)\s+"[^"]*"|locals|terraform)\s*\{`)
	blockHeader    = regexp.MustCompile(`^[\pL_][\pL\pN_-]*(\s+("[^"]*"|[\pL_][\pL\pN_-]*))*\s*\{`)
	attributeStart = regexp.MustCompile(`^[\pL_][\pL\pN_-]*\s*=`)
)

// detect reports whether a text starts with a block of Terraform's.
func detect(text []byte) bool { return firstBlock.Match(format.SkipComments(text)) }

// file is a file that positions and the texts of numbers are taken from.
type file struct {
	name string
	text []byte
	// beside are the files in its directory; nil where it may name none.
	beside fs.FS
}

func (f *file) position(r hcl.Range) config.Position {
	return config.Position{File: f.name, Line: r.Start.Line, Column: r.Start.Column}
}

// blankProse blanks the lines of prose outside of any block, as documentation that is
// copied whole has them, and returns their indexes.
func (f *file) blankProse() ([]int, *config.Fault) {
	var lines []int
	source := f.text
	f.text = bytes.Clone(source)
	starts := append(tree.LineStarts(source), len(source))
	for i := range len(starts) - 1 {
		line := bytes.TrimRight(source[starts[i]:starts[i+1]], "\r\n")
		if mayBeProse(line) {
			lines = append(lines, i)
			blank(f.text[starts[i] : starts[i]+len(line)])
		}
	}
	if lines == nil {
		return nil, nil
	}
	depth, fault := f.depths(len(starts))
	if fault != nil {
		return nil, fault
	}
	var prose []int
	for _, i := range lines {
		if depth[i] == 0 {
			prose = append(prose, i)
			continue
		}
		copy(f.text[starts[i]:starts[i+1]], source[starts[i]:starts[i+1]])
	}
	return prose, nil
}

// mayBeProse reports whether a line, if it is in no block, is neither empty nor anything
// of Terraform's language.
func mayBeProse(line []byte) bool {
	return len(line) > 0 && !bytes.ContainsAny(line[:1], " \t}])#/\"") &&
		!blockHeader.Match(line) && !attributeStart.Match(line) &&
		!bytes.Contains(line, []byte("/*")) && !bytes.Contains(line, []byte("*/"))
}

func blank(text []byte) {
	for i := range text {
		text[i] = ' '
	}
}

// depths returns how many brackets, strings, heredocs and comments are open where each
// line starts.
func (f *file) depths(lines int) ([]int, *config.Fault) {
	tokens, fault := f.lex()
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

// lex returns the tokens of the text. Its errors are left to the parser.
func (f *file) lex() (hclsyntax.Tokens, *config.Fault) {
	tokens, _ := hclsyntax.LexConfig(f.text, f.name, hcl.InitialPos)
	if len(tokens) > maxTokens {
		return nil, &config.Fault{Position: config.Position{File: f.name}, Problem: "too many values"}
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

// measure returns the fault of a text that is nested too deeply for the parser.
func (f *file) measure() *config.Fault {
	tokens, fault := f.lex()
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
		if open > 2*tree.MaxHeight || row > tree.MaxHeight || conditions > maxConditions {
			problem := fmt.Sprintf("got values nested deeper than %d levels", tree.MaxHeight)
			return &config.Fault{Position: f.position(t.Range), Problem: problem}
		}
	}
	return nil
}
