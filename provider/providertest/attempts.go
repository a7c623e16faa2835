package providertest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/wire"
)

// sent is a request as it leaves for a provider.
type sent struct {
	rewrite provider.Rewrite
	headers map[string]string
}

// send applies a rewrite to the headers that a request has so far.
func send(headers map[string]string, w provider.Rewrite) sent {
	after := make(map[string]string)
	maps.Copy(after, headers)
	maps.DeleteFunc(after, func(name, _ string) bool { return w.Removes(name) })
	for _, h := range w.SetHeaders {
		after[h.Name] = h.Value.Reveal()
	}
	return sent{w, after}
}

func clientOf(query string, headers map[string]string) provider.Client {
	return provider.Client{Query: query, Header: func(name string) (string, bool) {
		value, ok := headers[name]
		return value, ok
	}}
}

// plan is a request of a client that first and, if that fails, later may serve.
type plan struct {
	first, later *provider.Target
	body, query  string
	headers      map[string]string
}

// attempts returns the request for later as a first attempt and as a second one,
// which starts from what first has sent, as Envoy repeats it. It reports false for a
// request that one of them refuses.
func (p plan) attempts(t testing.TB) (direct, retried sent, ok bool) {
	t.Helper()
	req, err := provider.ReadRequest([]byte(p.body))
	if err != nil {
		return direct, retried, false
	}
	client := clientOf(p.query, p.headers)
	want, err := p.later.Rewrite(req, client)
	if err != nil {
		return direct, retried, false
	}
	direct = send(p.headers, want)
	if p.first.NeedsOriginal(req, client) || p.later.NeedsOriginal(req, client) {
		return direct, direct, true // every attempt starts from the client's request
	}
	originals, err := provider.EncodeOriginals(req, provider.TouchedBy(p.first, p.later), p.query)
	if err != nil {
		return direct, retried, false
	}
	once, err := p.first.Rewrite(req, client)
	if err != nil {
		return direct, retried, false
	}
	before := send(p.headers, once)
	again, query, err := provider.ReadAttempt(once.Body, originals)
	require.NoError(t, err)
	require.Equal(t, []any{req.Shape, req.Model, req.Stream, req.Prompt()}, []any{again.Shape, again.Model, again.Stream, again.Prompt()})
	got, err := p.later.Rewrite(again, clientOf(query, before.headers))
	require.NoError(t, err)
	return direct, send(before.headers, got), true
}

// RequireSameAttempt checks that later sends the same request after an attempt of
// first as it would without. A body that one of them refuses passes.
func RequireSameAttempt(t testing.TB, body string, first, later *provider.Target) {
	t.Helper()
	direct, retried, ok := plan{first: first, later: later, body: body, query: "a=%20&b"}.attempts(t)
	if !ok {
		return
	}
	want, got := direct.rewrite, retried.rewrite
	members := valueOf(membersOf(t, want.Body))
	require.Equal(t, members, valueOf(membersOf(t, got.Body)))
	if !anyRemoved(t, body, first) {
		require.Equal(t, string(want.Body), string(got.Body))
	}
	require.Equal(t, direct.headers, retried.headers)
	require.Equal(t, []string{want.Scheme, want.Authority, want.Path, want.Model}, []string{got.Scheme, got.Authority, got.Path, got.Model})
}

// anyRemoved reports whether a target removes members of a body. They come back at
// the end of it.
func anyRemoved(t testing.TB, body string, target *provider.Target) bool {
	t.Helper()
	req, err := provider.ReadRequest([]byte(body))
	require.NoError(t, err)
	w, err := target.Rewrite(req, provider.Client{})
	require.NoError(t, err)
	left := valueOf(membersOf(t, w.Body))
	return slices.ContainsFunc(membersOf(t, []byte(body)), func(m member) bool {
		_, ok := left[m.Name]
		return !ok
	})
}

func checkAttempts(t testing.TB, s *subject) {
	s.eachPair(func(first, later int) {
		for _, body := range requestBodies {
			if s.fits(t, first, body) && s.fits(t, later, body) {
				RequireSameAttempt(t, body, s.targets[first], s.targets[later])
			}
		}
	})
}

// checkCredentials has a client send a credential in every place that some target or
// the well-known names use, and looks for secrets in what reaches a target.
func checkCredentials(t testing.TB, s *subject) {
	seen := 0
	s.eachPair(func(first, later int) {
		for _, body := range requestBodies {
			if !s.fits(t, first, body) || !s.fits(t, later, body) {
				continue
			}
			p := plan{first: s.targets[first], later: s.targets[later]}
			p.body, p.query, p.headers = s.withCredentials(t, body)
			direct, retried, ok := p.attempts(t)
			if !ok {
				continue
			}
			seen++
			s.requireOwnSecrets(t, later, direct)
			s.requireOwnSecrets(t, later, retried)
		}
	})
	require.Positive(t, seen)
}

// withCredentials adds the client's credentials to a request.
func (s *subject) withCredentials(t testing.TB, body string) (full, query string, headers map[string]string) {
	t.Helper()
	headers = map[string]string{"x-other": "kept"}
	for _, name := range slices.Concat(wire.CredentialHeaders(), wire.AccountHeaders(), []string{"x-vault-token", "x_my_secret", "x-session"}) {
		headers[name] = clientSecret
	}
	query = "other=kept"
	params := []string{"key", "api-key", "API_KEY", "apikey", "access_token", "token", "mySecret", "x-Auth"}
	var edits []provider.Edit
	places := s.Targets[0].Credentials // the same for all
	for _, name := range places.Headers {
		headers[name] = clientSecret
	}
	for _, name := range append(params, places.QueryParams...) {
		query += "&" + name + "=" + clientSecret
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(places.BodyParams))) {
		edits = append(edits, provider.Edit{Name: name, Raw: []byte(`"` + clientSecret + `"`)})
	}
	edited, err := read(t, body).Edit(edits...)
	require.NoError(t, err)
	return string(edited), query, headers
}

// requireOwnSecrets checks that a request for a target holds no secret but the
// target's own, or the client's if the target lets it win.
func (s *subject) requireOwnSecrets(t testing.TB, target int, r sent) {
	t.Helper()
	text := r.rewrite.Path + "\n" + string(r.rewrite.Body)
	for name, value := range r.headers {
		text += "\n" + name + ": " + value
	}
	require.Equal(t, "kept", r.headers["x-other"])
	require.Contains(t, r.rewrite.Path, "other=kept")
	own := s.Targets[target].Auth
	for i := range s.Targets {
		for _, secret := range secretsOf(s.Targets[i].Auth) {
			if i != target {
				require.NotContains(t, text, secret, "of %s, sent to %s", s.Targets[i].ID, s.Targets[target].ID)
			} else if !own.AllowOverride {
				require.Contains(t, text, secret, "its own")
			}
		}
	}
	if !own.AllowOverride {
		require.NotContains(t, text, clientSecret, "the client's, sent to %s", s.Targets[target].ID)
	}
}

// secretsOf returns the secrets of a credential as they stand in a header or a body.
func secretsOf(a provider.Auth) []string {
	var all []string
	for _, secret := range []string{a.HeaderValue.Reveal(), a.ParamValue.Reveal()} {
		if secret != "" {
			all = append(all, strings.TrimPrefix(secret, "Bearer "))
		}
	}
	return all
}

// fits reports whether a body has the shape of a target's route type.
func (s *subject) fits(t testing.TB, target int, body string) bool {
	t.Helper()
	return read(t, body).CheckRouteType(s.Targets[target].RouteType) == nil
}

// eachPair visits every ordered pair of different targets.
func (s *subject) eachPair(visit func(first, later int)) {
	for first := range s.targets {
		for later := range s.targets {
			if first != later {
				visit(first, later)
			}
		}
	}
}
