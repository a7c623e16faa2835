package openai

import (
	"bytes"
	"regexp"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// textPointer matches the places of the text of an answer, as body has them.
var textPointer = regexp.MustCompile(`^/choices/\d+/(text|(message|delta)/content(/\d+/text)?)$`)

// readPart adds the beginning of an answer that broke off or is too long: its model, and
// its text, for an estimate. Its counts are at the end.
func (t *tally) readPart(part []byte) {
	d := jsontext.NewDecoder(bytes.NewBuffer(part), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		token, err := d.ReadToken()
		at := string(d.StackPointer())
		switch {
		case err != nil && isName(d) && textPointer.MatchString(at): // in the middle of the text
			t.characters += utf8.RuneCount(bytes.TrimLeft(d.UnreadBuffer(), `: "`))
			return
		case err != nil:
			return
		case token.Kind() != '"' || isName(d):
		case at == "/model":
			t.model = token.String()
		case textPointer.MatchString(at):
			t.characters += utf8.RuneCountInString(token.String())
		}
	}
}

// isName reports whether the last token was the name of a member.
func isName(d *jsontext.Decoder) bool {
	kind, length := d.StackIndex(d.StackDepth())
	return kind == '{' && length%2 == 1
}
