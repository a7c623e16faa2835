package script

import (
	"path"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/script/shell"
)

// deckVerbs are those by which deck makes what files say.
var deckVerbs = []string{"sync", "apply"}

// deckReader reads the deck commands of a script.
type deckReader struct{ fileReader }

// deckFlags are the flags of one deck command.
type deckFlags struct {
	*flagReader
	// states are the files of --state, which versions before 1.28 have.
	states []shell.Word
}

func newDeckFlags() *deckFlags {
	d := &deckFlags{flagReader: newFlagReader("deck")}
	d.take("state", "s", func(w shell.Word) { d.states = append(d.states, w) })
	d.ignore(
		"workspace,w", "ca-cert", "ca-cert-file", "config", "headers", "kong-addr", "kong-cookie-jar-path", "konnect-addr",
		"konnect-control-plane-name", "konnect-email", "konnect-password", "konnect-password-file", "konnect-runtime-group-name",
		"konnect-token", "konnect-token-file", "timeout", "tls-client-cert", "tls-client-cert-file", "tls-client-key",
		"tls-client-key-file", "tls-server-name", "db-update-propagation-delay", "parallelism", "select-tag", "rbac-resources-only", "verbose",
	)
	d.switches("help,h")
	return d
}

// deck reads the files that a command makes entities of: deck gateway sync FILE…, deck
// gateway apply FILE… and deck sync -s FILE. It reports whether it is such a command.
func (s deckReader) deck(pos config.Position, words []shell.Word, input shell.Word) bool {
	flags := newDeckFlags()
	rest := flags.parse(words)
	if len(rest) > 0 && rest[0].Plain() == "gateway" {
		rest = rest[1:]
	}
	if len(rest) == 0 || !slices.Contains(deckVerbs, rest[0].Plain()) {
		return false
	}
	files := append(rest[1:], flags.states...)
	if len(files) == 0 {
		files = []shell.Word{{Pieces: []shell.Piece{{Text: "-"}}}}
	}
	for _, w := range files {
		s.deckFile(pos, w, input)
	}
	return true
}

// deckFile reads a file of decK, or what deck reads.
func (s deckReader) deckFile(pos config.Position, w, input shell.Word) {
	name, _ := s.plain(w)
	text, _ := w.File()
	_, written := s.written[path.Clean(name)]
	switch {
	case name == "-" && input.Pieces == nil:
		s.Problem(pos, "", "not supported yet: deck applies what only a shell knows")
	case name == "-":
		s.deckText(pos, input)
	case written:
		s.deckText(pos, text)
	default:
		for _, f := range s.beside(pos, "deck", name, true) {
			if text, ok := s.open(f); ok {
				s.Include(s.pathOf(f), text)
			}
		}
	}
}

// deckText reads a text of the script that is a file of decK.
func (s deckReader) deckText(pos config.Position, text shell.Word) {
	doc := s.document(text)
	if doc == nil {
		return
	}
	if strings.Contains(s.spliced(text).Plain(), "${{") {
		s.Problem(pos, "", "not supported yet: a template of decK in a script: write it into a file")
		return
	}
	roots, faults := doc.Parse()
	s.Add(faults...)
	for _, root := range roots {
		s.Dispatch(format.Document{Name: s.name, Root: root.AsArgument()})
	}
}
