package parts

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/wire"
)

// TestPathsThatSkipTheScriptAreNormal goes through all short paths of the characters that
// matter.
func TestPathsThatSkipTheScriptAreNormal(t *testing.T) {
	const characters, longest = "/.a%2;\\#?^[\x01", 5
	plain := regexp.MustCompile("^(?:" + plainPath + ")$")
	skipped := 0
	var check func(path string)
	check = func(path string) {
		if plain.MatchString(path) {
			skipped++
			path, _, _ := strings.Cut(path, "?")
			normal, ok := wire.NormalPath(path)
			require.True(t, ok, path)
			require.Equal(t, path, normal)
		}
		for i := 0; i < len(characters) && len(path) < longest; i++ {
			check(path + characters[i:i+1])
		}
	}
	check("/")
	require.Positive(t, skipped)
}
