package config

import (
	"bytes"
	"path/filepath"
	"regexp"
)

// language is what a text is written in, before it is known what it says.
type language int

const (
	inYAML language = iota // or JSON
	inTerraform
	inShell
)

// languageOf returns what a source is written in. An ending that is known says so; else
// the first line does that is neither empty nor a comment.
func languageOf(source Source) language {
	switch filepath.Ext(source.Name) {
	case ".tf", ".tfvars":
		return inTerraform
	case ".sh":
		return inShell
	case ".yaml", ".yml", ".json":
		return inYAML
	}
	line := firstLine(source.Data)
	piped := regexp.MustCompile(`(?s)^(cat|echo)\s.*\|\s*kubectl\s`)
	switch {
	case bytes.HasPrefix(source.Data, []byte("#!")),
		regexp.MustCompile(`^(curl|kubectl)\s`).Match(line),
		piped.Match(line):
		return inShell
	case regexp.MustCompile(`^((resource|data)\s+"[^"]*"\s+"[^"]*"|(variable|provider|output|module)\s+"[^"]*"|locals|terraform)\s*\{`).Match(line):
		return inTerraform
	default:
		return inYAML
	}
}

// firstLine returns a text from its first line on that says something.
func firstLine(text []byte) []byte {
	comment := regexp.MustCompile(`^(#[^\n]*|//[^\n]*|(?s:/\*.*?\*/))`)
	for {
		text = bytes.TrimLeft(text, " \t\r\n")
		loc := comment.FindIndex(text)
		if loc == nil {
			return text
		}
		text = text[loc[1]:]
	}
}
