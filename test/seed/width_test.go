package seed_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAModelOfAnotherWidthServesWithItsOwn(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	o.embedsWith(embedOneWidth)
	first := start(t, o, seed())
	require.Len(t, o.embeddings(), 3, "with 1024 dimensions, which is refused; without, to get the width; then all descriptions")
	requireByMeaning(t, first, o, "of a model with one width")
	require.Zero(t, first.decided("degraded"))
	const said = "the embedding model has another width than vectordb.dimensions"
	require.Equal(t, 1, strings.Count(first.Log(), said), first.Log())
	require.Contains(t, first.Log(), "width=2048 vectordb.dimensions=1024")
	require.NotContains(t, first.Log(), "cannot be embedded")
	first.Stop()

	before := len(o.embeddings())
	second := start(t, o, seed())
	require.Len(t, o.embeddings(), before+2, "the width is determined again, and then the descriptions are in Redis")
	requireByMeaning(t, second, o, "after a restart")
}
