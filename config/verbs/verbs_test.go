package verbs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/verbs"
)

func TestFormatsMakeNoMoreThanTheirMaxSize(t *testing.T) {
	text := strings.Repeat("\x00\U0010ffff", 50)
	for _, format := range []string{"", "no verb", "%s", "%q%+q%x", "%999s|%.999f", "%v %v %v", "%%%d", "% x"} {
		size, ok := verbs.MaxSize(format, len(text))
		require.True(t, ok, format)
		for _, arg := range []any{text, -1.7976931348623157e+308, true, nil} {
			made := fmt.Sprintf(format, arg, arg, arg)
			if extra := strings.Index(made, "%!(EXTRA"); extra >= 0 {
				made = made[:extra]
			}
			require.LessOrEqual(t, len(made), size, "%q of %v", format, arg)
		}
	}
}

func TestLargePaddingHasNoMaxSize(t *testing.T) {
	for _, format := range []string{"%1000s", "%.1000f", "%*s", "%.*f", "%[1]*d"} {
		_, ok := verbs.MaxSize(format, 1)
		require.False(t, ok, format)
	}
}
