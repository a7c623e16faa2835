package provider_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

// members reads an object, with numbers as text.
func members(t testing.TB, body []byte) map[string]any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var m map[string]any
	require.NoError(t, dec.Decode(&m), "%s", body)
	return m
}

func fuzzSeeds(f *testing.F) {
	for _, body := range corpus() {
		f.Add([]byte(body), uint8(3), uint8(7))
	}
}

// FuzzReadRequest checks that other parsers read accepted bodies in the same way.
func FuzzReadRequest(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte, _, _ uint8) {
		req, err := provider.ReadRequest(body)
		if err != nil {
			requestError(t, err)
			return
		}
		// encoding/json uses the last of several equal keys and ignores case.
		var v1 struct {
			Model  *string `json:"model"`
			Stream *bool   `json:"stream"`
		}
		require.NoError(t, json.Unmarshal(body, &v1))
		if v1.Model != nil {
			require.Equal(t, *v1.Model, req.Model)
		}
		require.Equal(t, v1.Stream != nil && *v1.Stream, req.Stream)
		require.LessOrEqual(t, len(req.Prompt()), len(body))
	})
}

// FuzzEdit checks an edit against the same change of a map.
func FuzzEdit(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte, which, mode uint8) {
		req, err := provider.ReadRequest(body)
		if err != nil {
			return
		}
		before := string(body)
		want := members(t, body)
		edits := corpusEdits()[int(which)%len(corpusEdits())]
		if mode%2 == 0 {
			if own := slices.Sorted(maps.Keys(want)); len(own) > 0 { // also remove one of the body's own
				edits = append(edits[:len(edits):len(edits)], provider.Edit{Name: own[int(mode/2)%len(own)]})
			}
			edits = withoutRepeats(edits)
		}
		got, err := req.Edit(edits...)
		if err != nil {
			requestError(t, err)
			return
		}
		for _, e := range edits {
			delete(want, e.Name)
			if e.Raw != nil {
				dec := json.NewDecoder(bytes.NewReader(e.Raw))
				dec.UseNumber()
				var v any
				require.NoError(t, dec.Decode(&v))
				want[e.Name] = v
			}
		}
		require.Equal(t, want, members(t, got))
		require.Equal(t, before, string(body))
	})
}

func withoutRepeats(edits []provider.Edit) []provider.Edit {
	var out []provider.Edit
	seen := map[string]bool{}
	for _, e := range edits {
		if !seen[e.Name] {
			out = append(out, e)
		}
		seen[e.Name] = true
	}
	return out
}
