package admin

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

// FuzzRequests sends random requests. Every response has a documented status and a JSON
// body, and the state always loads.
func FuzzRequests(f *testing.F) {
	f.Add("POST", "/consumers", "application/json", `{"username": "alice", "tags": ["a"]}`)
	f.Add("POST", "/plugins", "application/json", aPlugin(""))
	f.Add("PATCH", "/plugins/one", "application/x-www-form-urlencoded", "config.targets[1].weight=3&tags[]=a&config.balancer.retries=1")
	f.Add("PUT", "/services/6f1f9cc4-8a4d-4f2b-9d6c-1f4b7b0f0a11", "application/json", `{"url": "https://a.test:1/b"}`)
	f.Add("GET", "/consumers?size=1&offset=eA&tags=a/b", "", "")
	f.Add("DELETE", "/consumers/base/consumer_groups/base", "", "")
	f.Add("POST", "/consumer_groups/base/consumers/", "application/x-www-form-urlencoded", "consumer=base")
	f.Add("POST", "/schemas/plugins/validate", "application/json", `{"name": "ai-proxy-advanced", "config": {"targets": [{"auth": {"header_value": "[redacted]"}}]}}`)
	f.Fuzz(func(t *testing.T, method, path, media, body string) {
		if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, method) || !strings.HasPrefix(path, "/") {
			return
		}
		state := filepath.Join(t.TempDir(), "state.json")
		api, err := Open(Options{Listen: "127.0.0.1:8001", State: state, Seed: []load.Source{{Name: "seed.yaml", Data: []byte(
			"consumers: [{username: base, groups: [{name: base}], keyauth_credentials: [{key: k}]}]\nconsumer_groups: [{name: base}]\nservices: [{name: base}]\n")}}})
		require.NoError(t, err)
		defer api.Close()
		r := httptest.NewRequest(method, "http://localhost/", strings.NewReader(body))
		if r.URL, err = r.URL.Parse(path); err != nil || r.URL.Host != "localhost" {
			return
		}
		r.Header.Set("Content-Type", media)
		w := httptest.NewRecorder()
		api.Handler(&served{}).ServeHTTP(w, r)
		require.Contains(t, []int{200, 201, 204, 400, 401, 404, 405, 409, 413, 415}, w.Code, w.Body.String())
		require.Equal(t, w.Code == 405, method != "OPTIONS" && w.Header().Get("Allow") != "", "a 405 has Allow")
		if w.Body.Len() > 0 {
			_, err := parseJSON(w.Body.Bytes())
			require.NoError(t, err, w.Body.String())
		}
		data, err := os.ReadFile(state)
		require.NoError(t, err)
		_, ok := parseState(data, api.store.kinds)
		require.True(t, ok, "a restart reads the state: %s", data)
		_, _, err = load.Files(load.Options{}, state)
		require.NoError(t, err)
	})
}
