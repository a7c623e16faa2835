package docs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// session is a command of a console block and what it prints, as the document has it.
type session struct{ command, output string }

func (b block) sessions() []session {
	var all []session
	for line := range strings.Lines(b.text) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, session{command: strings.TrimSpace(command)})
		} else if len(all) > 0 {
			all[len(all)-1].output += line
		}
	}
	return all
}

// TestDocumentsShowWhatIsPrinted runs the sessions of explain and validate and compares
// their output.
func TestDocumentsShowWhatIsPrinted(t *testing.T) {
	example, err := os.ReadFile(filepath.Join(root, "examples", "deck", "global.yaml"))
	require.NoError(t, err)
	blocks := slices.Concat(page(t, "README.md").blocks, page(t, "docs/commands.md").blocks)
	t.Chdir(t.TempDir())
	// The three faults of the text above the session with validate.
	wrong := string(example)
	for _, edit := range [][2]string{
		{"algorithm:", "algoritm:"},
		{"name: gpt-4o\n        provider: openai", "name: gpt-4o\n        provider: anthropic"},
		{"weight: 75", "weight: 0"},
	} {
		require.Contains(t, wrong, edit[0])
		wrong = strings.Replace(wrong, edit[0], edit[1], 1)
	}
	require.NoError(t, os.WriteFile("kong.yaml", []byte(wrong), 0o600))

	seen := 0
	for _, b := range blocks {
		if b.language != "console" {
			continue
		}
		for _, s := range b.sessions() {
			args, ok := strings.CutPrefix(s.command, "bin/semlb ")
			if !ok {
				continue // curl; test/start has those
			}
			seen++
			// Arguments are words, and at most one text in double quotes at the end.
			words, quoted, _ := strings.Cut(args, ` "`)
			fields := strings.Fields(words)
			if quoted != "" {
				fields = append(fields, strings.TrimSuffix(quoted, `"`))
			}
			if fields[0] == "explain" {
				fields = slices.Insert(fields, 1, "--decision-budget", "1m") // however busy the machine is
			}
			stdout, stderr, _ := run(t, fields...)
			require.Equal(t, strings.TrimSpace(s.output), strings.TrimSpace(stdout+stderr), "line %d: %s", b.line, s.command)
		}
	}
	require.Equal(t, 4, seen)
}
