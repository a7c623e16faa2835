package providertest

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/test/golden"
)

// eachRewrite rewrites every body for every target of its route type.
func (s *subject) eachRewrite(t testing.TB, bodies []string, visit func(i int, body string, w provider.Rewrite, err error)) {
	t.Helper()
	for i, target := range s.targets {
		for _, body := range bodies {
			req := read(t, body)
			if req.CheckRouteType(s.Targets[i].RouteType) != nil {
				continue
			}
			w, err := target.Rewrite(req, provider.Client{})
			visit(i, body, w, err)
		}
	}
}

func checkGolden(t testing.TB, s *subject) {
	var text strings.Builder
	last := -1
	s.eachRewrite(t, requestBodies, func(i int, body string, w provider.Rewrite, err error) {
		if i != last {
			fmt.Fprintf(&text, "# %s: %s %s %s\n\n", s.Targets[i].ID, s.Targets[i].Provider, s.Targets[i].Model, s.Targets[i].RouteType)
			last = i
		}
		fmt.Fprintf(&text, "< %s\n", body)
		if err != nil {
			fmt.Fprintf(&text, "> %v\n\n", err)
			return
		}
		fmt.Fprintf(&text, "> %s://%s%s", w.Scheme, w.Authority, w.Path)
		for _, h := range w.SetHeaders {
			fmt.Fprintf(&text, " %s: %s", h.Name, h.Value.Reveal())
		}
		fmt.Fprintf(&text, "\n> %s\n\n", w.Body)
	})
	golden.Check(t, filepath.Join("testdata", "requests.golden"), text.String())
}

// checkForm checks what HTTP needs of a request. Its content-length is the length of
// the body, which Envoy is told, so no rewrite may set it or another field that
// frames the body.
func checkForm(t testing.TB, s *subject) {
	rewrites := 0
	s.eachRewrite(t, requestBodies, func(i int, _ string, w provider.Rewrite, err error) {
		if err != nil {
			return // a body without a model, for a target without one
		}
		rewrites++
		require.True(t, json.Valid(w.Body), "%s", w.Body)
		require.Equal(t, s.targets[i].Endpoint().Authority(), w.Authority)
		require.True(t, strings.HasPrefix(w.Path, "/"), w.Path)
		require.Equal(t, -1, strings.IndexFunc(w.Path, func(r rune) bool { return r <= ' ' || r > '~' || r == '#' }), w.Path)
		require.NotEmpty(t, w.Model)
		for _, name := range headerNames(w) {
			require.Equal(t, strings.ToLower(name), name)
			require.NotContains(t, []string{"", "host", ":authority", "content-length", "content-type", "transfer-encoding"}, name)
		}
	})
	require.GreaterOrEqual(t, rewrites, len(s.targets))
}

func headerNames(w provider.Rewrite) []string {
	names := append([]string(nil), w.RemoveHeaders...)
	for _, h := range w.SetHeaders {
		names = append(names, h.Name)
	}
	return names
}

// checkFields compares a rewrite with the client's body: all members that the target
// does not list as fields keep their values and their order.
func checkFields(t testing.TB, s *subject) {
	if s.translates() {
		for _, target := range s.targets {
			require.True(t, target.NeedsOriginal(read(t, requestBodies[0]), provider.Client{}),
				"what a dialect with a translator writes cannot be undone")
		}
		return
	}
	s.eachRewrite(t, requestBodies, func(i int, body string, w provider.Rewrite, err error) {
		if err != nil {
			return
		}
		fields := make(map[string]bool)
		for _, f := range s.targets[i].Fields() {
			fields[f.Name] = true
		}
		require.Equal(t, without(membersOf(t, []byte(body)), fields), without(membersOf(t, w.Body), fields), "%s", w.Body)
	})
}

func checkInput(t testing.TB, s *subject) {
	for i, target := range s.targets {
		for _, body := range requestBodies {
			bytes := []byte(body)
			req, err := provider.ReadRequest(bytes)
			require.NoError(t, err)
			if req.CheckRouteType(s.Targets[i].RouteType) != nil {
				continue
			}
			_, _ = target.Rewrite(req, provider.Client{}) // errors are checkErrors'
			require.Equal(t, body, string(bytes))
		}
	}
}

// checkErrors sends the bodies that a provider may refuse, and those whose only fault
// can be that they name no model.
func checkErrors(t testing.TB, s *subject) {
	check := func(_ int, body string, w provider.Rewrite, err error) {
		if err == nil {
			require.True(t, json.Valid(w.Body), "%s", w.Body)
			return
		}
		var fault *provider.RequestError
		require.ErrorAs(t, err, &fault, body)
		require.True(t, fault.Status >= 400 && fault.Status < 500, "%s: status %d", body, fault.Status)
		require.NotEmpty(t, fault.Code)
		require.NotContains(t, fault.Error(), marked, body)
	}
	s.eachRewrite(t, oddBodies, check)
	s.eachRewrite(t, requestBodies, check)
}
