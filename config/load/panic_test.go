package load_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

// requireNoPanic fails where loading ran into a bug that [config.Guard] contained.
func requireNoPanic(t *testing.T, err error) {
	t.Helper()
	var internal *config.InternalError
	if errors.As(err, &internal) {
		t.Fatalf("%s\n%s", internal, internal.Stack)
	}
}

func TestAPanicIsContained(t *testing.T) {
	text := configtest.Minimal + "      auth: {header_name: A, header_value: $KEY}\n"
	opts := load.Options{Env: func(string) (string, bool) { panic(configtest.Marker) }}
	c, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, opts)
	require.Nil(t, c)
	var internal *config.InternalError
	require.ErrorAs(t, err, &internal)
	require.NotContains(t, err.Error(), configtest.Marker)
}

// damage returns a text with some of its bytes lost, doubled or exchanged.
func damage(random *rand.Rand, text string) string {
	from := random.IntN(len(text))
	to := min(len(text), from+1+random.IntN(40))
	switch random.IntN(4) {
	case 0:
		return text[:from]
	case 1:
		return text[:from] + text[to:]
	case 2:
		return text[:to] + text[from:]
	default:
		other := random.IntN(len(text))
		return text[:from] + text[other:min(len(text), other+to-from)] + text[to:]
	}
}

// TestDamagedFilesOfSeveralFormatsNeverPanic loads and converts pairs of files of all
// formats, one damaged and at times under the other's name: what one file declares is
// used in positions of another. The damage is the same in every run.
func TestDamagedFilesOfSeveralFormatsNeverPanic(t *testing.T) {
	texts := plantedTexts(t)
	names := slices.Sorted(maps.Keys(texts))
	random := rand.New(rand.NewPCG(1, 2))
	env := func(name string) (string, bool) { return "[1.50, {a = \"x\"}]", len(name)%3 != 0 }
	for _, first := range names {
		for _, second := range names {
			for range 6 {
				name := first
				if random.IntN(4) == 0 {
					name = second
				}
				sources := []load.Source{
					{Name: name, Data: []byte(damage(random, texts[first]))}, {Name: second, Data: []byte(texts[second])},
				}
				if random.IntN(2) == 0 {
					slices.Reverse(sources)
				}
				_, _, err := load.Sources(sources, load.Options{Env: env})
				requireNoPanic(t, err)
				_, _, err = load.Convert(sources, load.Writable()[random.IntN(len(load.Writable()))], load.Options{})
				requireNoPanic(t, err)
			}
		}
	}
}
