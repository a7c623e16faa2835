package docs

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// testLink is a link to a test. TestLinkedFunctionsAreInTheirFiles checks that it exists.
var testLink = regexp.MustCompile("\\[`Test[A-Za-z0-9]+`\\]\\(")

// TestTheThreatModelNamesTheTestsThatHoldIt wants a test in every row of what someone
// could try, and in every paragraph that is no introduction to such a table.
func TestTheThreatModelNamesTheTestsThatHoldIt(t *testing.T) {
	text := page(t, "docs/threat-model.md").text
	_, text, found := strings.Cut(text, "\n## Clients\n")
	require.True(t, found)
	text, _, found = strings.Cut(text, "\n## Not covered\n")
	require.True(t, found)
	rows, introduces := 0, false
	for _, block := range strings.Split(text, "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		switch {
		case strings.HasPrefix(lines[0], "#"):
		case strings.HasPrefix(lines[0], "|"):
			for _, row := range lines[2:] {
				require.Regexp(t, testLink, row)
				rows++
			}
		default:
			introduces = !testLink.MatchString(block)
			continue
		}
		require.False(t, introduces && !strings.HasPrefix(lines[0], "|"), "the paragraph before %q names no test", lines[0])
		introduces = false
	}
	require.Greater(t, rows, 15)
}
