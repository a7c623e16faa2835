// Package format is the contract between the formats of configuration and the loader:
// what a format is, what its reader is given and yields, and what its writer gets.
//
// Whatever the format, a reader yields the same [Set]: entities and plugins as trees in
// the form that a decK file has them. The loader checks them and makes the model of them.
package format

import (
	"bytes"
	"io/fs"
	"regexp"

	"semlb/config"
	"semlb/config/schema"
	"semlb/config/tree"
)

// Format is a format of configuration. A format of its own package is a line in the
// loader's table.
type Format struct {
	// Name is what users call the format; empty for one that is only read.
	Name string
	// Description describes a file of the format, for the message about a file in none.
	Description string
	// Endings are the ends of names that files of the format have, with their dots. A
	// file with another format's ending is not of this one.
	Endings []string
	// Detect reports whether a text is in the format, where the name of its file says
	// nothing. It is nil for formats of YAML and JSON.
	Detect func(text []byte) bool
	// Recognise reports whether a value of a YAML or JSON file is of the format; nil
	// where the format has a language of its own.
	Recognise func(root *tree.Node) bool
	// NewReader returns a reader of the files of one configuration; nil where the
	// format is only written.
	NewReader func(*Input) Reader
	// Write returns a configuration in the format; nil where the format is only read.
	Write func(*Output) ([]byte, error)
	// JSONSchema returns the JSON Schema of files of the format, for editors; nil where
	// there is none.
	JSONSchema func(*schema.Tables) schema.JSON
	// Beside lists what of the format is not read, for the compatibility document.
	Beside *schema.Beside
}

// Reader reads the files of one format. They are one configuration, so that entities
// may refer to others whatever their order and files.
type Reader interface {
	// Read takes one document. Faults go to the [Input], and so does what it yields.
	Read(Document)
	// Finish is called once, after the last document of all formats. What needs other
	// documents is yielded now.
	Finish()
}

// Document is a file, or one value of a YAML or JSON file.
type Document struct {
	// Name is the name of the file, usually its path.
	Name string
	// Text is the text of the file. It is empty for a value.
	Text []byte
	// Root is the value; nil for a file in a language of its own.
	Root *tree.Node
	// Scope is what the document applies to, where its source says so and the format
	// does not.
	Scope config.Scope
	// Files are those in the directory of the file, which a script may name; nil where a
	// document may name none.
	Files fs.FS
	// Partial documents only add annotations to a resource that exists elsewhere.
	Partial bool
	// Overwrites are the annotations of a partial document that may change, or take away, one
	// that the resource itself has.
	Overwrites map[string]bool
}

// comment matches what languages of configuration have as comments.
var comment = regexp.MustCompile(`^(#[^\n]*|//[^\n]*|(?s:/\*.*?\*/))`)

// SkipComments returns a text from its first line on that is neither empty nor a comment.
func SkipComments(text []byte) []byte {
	for {
		text = bytes.TrimLeft(text, " \t\r\n")
		found := comment.FindIndex(text)
		if found == nil {
			return text
		}
		text = text[found[1]:]
	}
}
