// Package docs holds a test that keeps the documents true: what they name exists,
// and what they show loads.
package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// document is a Markdown file.
type document struct {
	// path is relative to the root of the repository.
	path  string
	text  string
	prose string // text without its fenced blocks
	// blocks are the fenced blocks.
	blocks []block
}

// block is a fenced block of a document.
type block struct {
	language string
	line     int
	text     string
}

// readDocument splits a file into prose and fenced blocks.
func readDocument(root, path string) (document, error) {
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return document{}, fmt.Errorf("read document: %w", err)
	}
	d := document{path: path, text: string(data)}
	var prose strings.Builder
	var open *block
	for i, line := range strings.Split(d.text, "\n") {
		language, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && open == nil:
			open = &block{language: language, line: i + 1}
		case fence:
			d.blocks = append(d.blocks, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		default:
			prose.WriteString(line + "\n")
		}
	}
	if open != nil {
		return d, fmt.Errorf("read document: %s:%d: block is not closed", path, open.line)
	}
	d.prose = prose.String()
	return d, nil
}

// link is a link of a document to a file of the repository.
type link struct{ text, target, anchor string }

var markdownLink = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]+)\)`)

// links are those that lead into the repository.
func (d document) links() []link {
	var all []link
	for _, m := range markdownLink.FindAllStringSubmatch(d.prose, -1) {
		if strings.Contains(m[2], "://") {
			continue
		}
		target, anchor, _ := strings.Cut(m[2], "#")
		if target == "" {
			target = filepath.Base(d.path)
		}
		all = append(all, link{text: m[1], target: filepath.Join(filepath.Dir(d.path), target), anchor: anchor})
	}
	return all
}

var notAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]+`)

// anchors are the headings, as GitHub names them.
func (d document) anchors() []string {
	var all []string
	for _, line := range strings.Split(d.prose, "\n") {
		if heading := strings.TrimLeft(line, "#"); heading != line {
			name := notAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			all = append(all, strings.ReplaceAll(name, " ", "-"))
		}
	}
	return all
}

var codeSpan = regexp.MustCompile("`([^`\n]+)`")

// code is every code span of the prose, and every line of the shell blocks that is a
// command.
func (d document) code() []string {
	var all []string
	for _, m := range codeSpan.FindAllStringSubmatch(d.prose, -1) {
		all = append(all, m[1])
	}
	for _, b := range d.blocks {
		all = append(all, b.commands()...)
	}
	return all
}

// commands are the command lines of a block: all lines of sh, those behind "$ " of
// console. Comments and redirections are cut off.
func (b block) commands() []string {
	var all []string
	for _, line := range strings.Split(b.text, "\n") {
		prompted, isPrompt := strings.CutPrefix(line, "$ ")
		switch {
		case b.language == "sh":
		case b.language == "console" && isPrompt:
			line = prompted
		default:
			continue
		}
		line, _, _ = strings.Cut(line, " #")
		line, _, _ = strings.Cut(line, " > ")
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}
