package docs

import (
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var registered = regexp.MustCompile(`Name: "(semlb_[a-z_]+)"`)

// TestEveryMetricIsInTheDocument compares names. That types and labels are those of the
// registry is a test of the end-to-end tests.
func TestEveryMetricIsInTheDocument(t *testing.T) {
	d, err := readDocument(root, "docs/metrics.md")
	require.NoError(t, err)
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(semlb_[a-z_]+)` \\|").FindAllStringSubmatch(d.text, -1) {
		documented = append(documented, m[1])
	}
	code, err := exec.Command("git", "-C", root, "grep", "-h", `Name: "semlb_`, "--", "*.go", ":!test").Output()
	require.NoError(t, err)
	var names []string
	for _, m := range registered.FindAllStringSubmatch(string(code), -1) {
		names = append(names, m[1])
	}
	require.NotEmpty(t, names)
	require.ElementsMatch(t, names, documented)
}
