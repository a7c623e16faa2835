package admin

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/wire"
)

func TestListeningBeyondTheLoopbackNeedsAToken(t *testing.T) {
	for listen, need := range map[string]bool{
		"127.0.0.1:8001": false, "localhost:8001": false, "[::1]:8001": false, "127.8.8.8:1": false,
		"0.0.0.0:8001": true, "[::]:8001": true, "10.0.0.1:8001": true, ":8001": true, "example.test:8001": true,
	} {
		o := Options{Listen: listen, State: filepath.Join(t.TempDir(), "s.json")}
		api, err := Open(o)
		if need {
			require.ErrorContains(t, err, "needs a token", listen)
			o.Token = wire.NewSecret("t")
			api, err = Open(o)
		}
		require.NoError(t, err, listen)
		require.NoError(t, api.Close())
	}
}

func TestTokens(t *testing.T) {
	s := serve(t, Options{Token: wire.NewSecret("admin-token"), KonnectToken: wire.NewSecret("konnect-token")})
	const konnect = "/v2/control-planes/9524ec7d-36d9-465d-a8c5-83a3c9390458/core-entities"
	for _, tt := range []struct {
		name, value          string
		plain, konnectStatus int
	}{
		{"X-None", "x", 401, 401},
		{"Authorization", "Bearer admin-token", 200, 200},
		{"Authorization", "bearer admin-token", 200, 200},
		{"Authorization", "admin-token", 401, 401},
		{"Authorization", "Basic admin-token", 401, 401},
		{"Authorization", "Bearer konnect-token", 401, 200},
		{"Authorization", "Bearer admin-toke", 401, 401},
		{"Authorization", "Bearer ", 401, 401},
		{"Kong-Admin-Token", "admin-token", 200, 200},
	} {
		with := s.with(tt.name, tt.value)
		with.call("GET", "/services", "").is(tt.plain)
		with.call("GET", konnect+"/services", "").is(tt.konnectStatus)
		with.call("POST", "/services", `{}`).is(map[int]int{200: 400, 401: 401}[tt.plain])
	}
	require.Equal(t, `Bearer realm="semlb"`, s.call("GET", "/", "").is(401).header.Get("WWW-Authenticate"))
	require.NotContains(t, s.log.String(), "admin-token")
}

func TestKonnectsPathsAlwaysNeedAToken(t *testing.T) {
	const konnect = "/v2/control-planes/9524ec7d-36d9-465d-a8c5-83a3c9390458/core-entities"
	s := serve(t, Options{})
	s.call("GET", "/services", "").is(200)
	s.call("GET", konnect+"/services", "").is(401)
	s.with("Authorization", "Bearer ").call("GET", konnect+"/services", "").is(401)

	s = serve(t, Options{KonnectToken: wire.NewSecret("konnect-token")})
	s.call("POST", "/services", `{"name": "a", "host": "a.test"}`).is(201)
	k := s.with("Authorization", "Bearer konnect-token")
	k.call("POST", konnect+"/services", `{"name": "b", "host": "b.test"}`).is(201)
	k.call("POST", konnect+"/services/b/plugins/", aPlugin("")).is(201)
	require.Len(t, s.call("GET", "/services", "").data(), 2)
	next := text(k.call("GET", konnect+"/services?size=1", "").is(200).object(), "next")
	require.Contains(t, next, konnect)
	require.Len(t, k.call("GET", next, "").is(200).data(), 1)
	k.call("GET", "/v2/control-planes", "").is(404)
	k.call("GET", konnect, "").is(404)
}

func TestForeignHostsAreRefused(t *testing.T) {
	s := serve(t, Options{Hosts: []string{"semlb.test"}})
	for host, status := range map[string]int{
		"localhost": 200, "localhost:8001": 200, "LOCALHOST": 200, "127.0.0.1:9": 200, "[::1]:8001": 200, "[::1]": 200, "semlb.test": 200,
		"evil.test": 403, "localhost.evil.test": 403, "10.1.2.3": 403, "127.0.0.1.evil.test:8001": 403,
	} {
		require.Equal(t, status, s.with("Host", host).call("GET", "/services", "").status, host)
		require.Equal(t, map[int]int{200: 201, 403: 403}[status],
			s.with("Host", host).call("POST", "/services", `{"host": "a.test"}`).status, host)
	}
	anywhere := serve(t, Options{Listen: "0.0.0.0:8001", Token: wire.NewSecret("t")}).with("Authorization", "Bearer t")
	anywhere.call("GET", "/", "").is(200)
	anywhere.with("Host", "10.1.2.3").call("GET", "/", "").is(403)
}

func TestCrossSiteRequestsAreRefused(t *testing.T) {
	s := serve(t, Options{})
	own := s.url
	for _, tt := range []struct {
		name, value string
		status      int
	}{
		{"Origin", own, 200},
		{"Origin", "http://evil.test", 403},
		{"Origin", "null", 403},
		{"Origin", "http://127.0.0.1:1", 403},
		{"Origin", "", 403},
		{"Sec-Fetch-Site", "same-origin", 200},
		{"Sec-Fetch-Site", "none", 200},
		{"Sec-Fetch-Site", "same-site", 403},
		{"Sec-Fetch-Site", "cross-site", 403},
	} {
		r := s.with(tt.name, tt.value).call("GET", "/services", "")
		require.Equal(t, tt.status, r.status, "%s: %s", tt.name, tt.value)
		require.Empty(t, r.header.Get("Access-Control-Allow-Origin"))
	}
	s.with("Origin", "http://evil.test").call("OPTIONS", "/services", "").is(403)
	s.with("Origin", "http://evil.test").send("POST", "/services", "application/x-www-form-urlencoded", "host=a.test").is(403)
	require.Empty(t, s.call("GET", "/services", "").data())
}
