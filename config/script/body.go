package script

import (
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/script/shell"
	"semlb/config/tree"
)

// curlData is a piece of a request's body.
type curlData struct {
	word shell.Word
	kind dataKind
	// input is set for what the command reads.
	input bool
}

// dataKind is the kind of flag that gives a piece of a body.
type dataKind int

const (
	dataPlain   dataKind = iota // --data: joined with &
	dataRaw                     // --data-raw: a leading @ means nothing
	dataJSON                    // --json: joined as it is
	dataEncoded                 // --data-urlencode
	dataForm                    // --form
	dataString                  // --form-string: no special characters
)

// readFiles puts what the command reads in the place of "@-" in the data, and the text of
// a file in the place of "@FILE".
func (s curlReader) readFiles(input shell.Word) {
	for i, d := range s.curlFlags.data {
		if d.kind != dataPlain && d.kind != dataJSON || !strings.HasPrefix(d.word.Plain(), "@") {
			continue
		}
		text, ok := input, input.Pieces != nil
		if d.word.Plain() != "@-" {
			text, ok = d.word.Behind(1).File()
		}
		text = s.spliced(text)
		if ok && !slices.ContainsFunc(text.Pieces, func(p shell.Piece) bool { return p.File != nil }) {
			s.curlFlags.data[i].word, s.curlFlags.data[i].input = text.Trimmed(), true
		}
	}
}

// fromFile reports whether a piece of a body is in a file that is not read.
func (d curlData) fromFile() bool {
	text := d.word.Plain()
	name, value, _ := strings.Cut(text, "=")
	switch d.kind {
	case dataPlain, dataJSON:
		return !d.input && strings.HasPrefix(text, "@")
	case dataEncoded:
		return strings.HasPrefix(text, "@") || strings.Contains(name, "@")
	case dataForm:
		return strings.HasPrefix(value, "<") || strings.HasPrefix(value, "@")
	default:
		return false
	}
}

// fileProblem says why a piece of a body in a file is not read.
func (d curlData) fileProblem() string {
	switch {
	case d.kind >= dataEncoded:
		return "not supported yet: a form's field from a file"
	case d.word.Plain() == "@-":
		return "not supported yet: a body that only a shell knows"
	default:
		return "not supported yet: a body from a file that is not beside the script"
	}
}

// body returns the body of a request, JSON or a form, or nil where it has a fault.
func (s curlReader) body(pos config.Position, parts []string, data []curlData) *tree.Node {
	if i := slices.IndexFunc(data, curlData.fromFile); i >= 0 {
		s.Problem(pos, "", "%s", data[i].fileProblem())
		return nil
	}
	if len(data) == 1 && onlyParameter.MatchString(data[0].word.Plain()) {
		s.Problem(pos, "", "not supported yet: a body that is a parameter such as $1")
		return nil
	}
	if isForm(data) {
		return s.form(pos, parts, data)
	}
	if len(data) == 0 {
		return &tree.Node{Kind: tree.Object, Pos: pos}
	}
	var all shell.Word
	for i, d := range data {
		if i > 0 && d.kind != dataJSON && len(d.word.Pieces) > 0 {
			start := d.word.Pieces[0].Start
			all.Pieces = append(all.Pieces, shell.Piece{Text: "&", Start: start, End: start})
		}
		all.Pieces = append(all.Pieces, d.word.Pieces...)
	}
	doc := s.document(all)
	if doc == nil {
		return nil
	}
	root, faults := doc.ParseJSON()
	s.Add(faults...)
	return root
}
