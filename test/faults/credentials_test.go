package faults_test

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/vectordb/redistest"
)

// vaultUser is a world with a marker in every field that holds a credential.
type vaultUser struct {
	*world
	e     *embedder
	redis *redistest.Server
	// dir has the sockets and files of the child Envoy, file is the configuration.
	dir, file string
	// api is the Admin API's URL.
	api   string
	semlb *harness.Semlb
	// supported are the fields that can be used, unsupported those that are refused.
	supported, unsupported []string
	// markers are by field; that of a target has the target's number in its path.
	markers map[string]string
	said    strings.Builder
}

func TestFault23Credentials(t *testing.T) {
	r := begin(t, "a marker in every field of the schema that holds a credential; consumers, Redis with a password, Admin API, debug log; good, failing, refused requests; broken configurations with the markers in them")
	v := newVaultUser(t)
	v.splitFields()
	v.start23()
	v.askAsConsumers()
	v.askForFailures()
	v.breakConfiguration()
	v.askAdmin()
	places := map[string]string{"log": v.log(), "stdout": v.semlb.Stdout(), "answers": v.said.String()}
	for _, path := range []string{"/metrics", "/status", "/healthz", "/readyz"} {
		places[path] = v.Page(path).Body
	}
	for _, path := range []string{"/config_dump?include_eds", "/clusters", "/stats", "/listeners", "/server_info", "/stats/prometheus", "/certs", "/init_dump"} {
		places["Envoy's "+path] = harness.ChildAdmin(t, v.dir, path)
	}
	require.Contains(t, places["log"], "msg=attempt", "the log is at debug level")
	for place, text := range places {
		requireNoTrace(t, place, text, v.markers)
	}
	v.requireOwnOnly()
	r.saw("%d fields in use and %d that are refused: none of %d markers, in clear text, base64, hex or a URL, in %d places or at another target; each at its own",
		len(v.supported), len(v.unsupported), len(v.markers), len(places))
}

func newVaultUser(t *testing.T) *vaultUser {
	t.Helper()
	dir, err := os.MkdirTemp("", "f23-") // Unix sockets need short names
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	t.Setenv("TMPDIR", dir)
	v := &vaultUser{world: newTargets(t), e: newEmbedder(t), dir: dir, markers: map[string]string{}}
	v.redis = redistest.StartWith(t, redistest.Options{Args: []string{"--requirepass", marker("config.vectordb.redis.password")}})
	return v
}

// document is the configuration without credentials.
func (v *vaultUser) document() document {
	p := harness.Plugin{
		Failover: harness.SeedCriteria(), ReadTimeout: 3000, Embeddings: v.e.block(), VectorDB: vectorBlock(),
		Targets: []harness.Target{
			{URL: v.cook1.URL, Model: cook1Model, Weight: 75, Description: cooking},
			{URL: v.cook2.URL, Model: cook2Model, Weight: 25, Description: cooking},
			{URL: v.code.URL, Model: codeModel, Weight: 50, Description: code},
		},
	}
	p.Embeddings["auth"] = map[string]any{}
	inRedis(v.redis, "", nil)(&p)
	return documentOf(v.t, p)
}

// plant sets a field, of every target, to what value makes of its marker.
func (v *vaultUser) plant(d document, path string, value func(marker string) any) {
	for i := range 3 {
		own := at(path, i)
		v.markers[own] = marker(own)
		d.set(own, value(v.markers[own]))
		if own == path {
			return
		}
	}
}

func itself(marker string) any { return marker }

// splitFields finds out which fields can be used. The refusal of the others does not
// quote them.
func (v *vaultUser) splitFields() {
	for _, path := range secretFields(v.t) {
		d := v.document()
		v.plant(d, path, itself)
		got := harness.Command(v.t, nil, "validate", harness.WriteConfig(v.t, d.text(v.t)))
		v.said.WriteString(got.Stdout + got.Stderr)
		if got.Code == 0 {
			v.supported = append(v.supported, path)
			continue
		}
		require.Contains(v.t, got.Stderr, "not supported yet", path)
		v.unsupported = append(v.unsupported, path)
	}
	require.GreaterOrEqual(v.t, len(v.supported), 8, "two for targets, two for embeddings, Redis, three for consumers")
}

// whole is the configuration with every credential that can be used.
func (v *vaultUser) whole() document {
	d := v.document()
	for _, path := range v.supported {
		v.plant(d, path, itself)
	}
	return d
}

func (v *vaultUser) start23() {
	v.markers["SEMLB_ADMIN_TOKEN"], v.markers["KONNECT_TOKEN"] = marker("admin-token"), marker("konnect-token")
	v.file = harness.WriteConfig(v.t, v.whole().text(v.t))
	api := harness.FreeAddress(v.t)
	v.semlb = harness.Start(v.t, harness.Options{
		Config: "_format_version: \"3.0\"\n", Own: true,
		Flags: append(withBudget(), "-c", v.file, "--admin", api, "--envoy-concurrency", "2"),
		Env:   map[string]string{"SEMLB_ADMIN_TOKEN": v.markers["SEMLB_ADMIN_TOKEN"], "KONNECT_TOKEN": v.markers["KONNECT_TOKEN"]},
	})
	v.api, v.Gateway, v.log = "http://"+api, v.semlb.Gateway, v.semlb.Log
	require.Zero(v.t, v.storeErrors(), "Redis takes the password")
}

// ask sends a prompt and keeps the answer.
func (v *vaultUser) ask(prompt string, headers ...http.Header) harness.Answer {
	v.t.Helper()
	return v.keep(v.request(v.t.Context(), strings.NewReader(chat(prompt)), headers...))
}

func (v *vaultUser) keep(r *http.Request) harness.Answer {
	v.t.Helper()
	answer, err := harness.Send(v.client, r)
	require.NoError(v.t, err)
	_ = answer.Header.Write(&v.said) // to a strings.Builder
	v.said.WriteString(answer.Body)
	return answer
}

// breakConfiguration writes configurations with the markers in them that are refused,
// each for another reason, and one that Redis does not let in.
func (v *vaultUser) breakConfiguration() {
	list := func(m string) any { return []any{m} }
	object := func(m string) any { return map[string]any{m: m} }
	for _, wrong := range []func(string) any{list, object} {
		d := v.document()
		for _, path := range append(v.supported, v.unsupported...) {
			v.plant(d, path, wrong)
		}
		v.refuse(d.text(v.t))
		for _, path := range append(v.supported, v.unsupported...) {
			name := path[strings.LastIndex(path, ".")+1:]
			require.Contains(v.t, v.status().Refused, name)
		}
	}
	v.refuse(strings.ReplaceAll(v.whole().text(v.t), "header_value", "header_valeu"))
	v.refuse(v.whole().text(v.t)[:1000] + "\n\t: {")

	d := v.whole() // a key that two consumers have
	d["consumers"] = append(d["consumers"].([]any), map[string]any{
		"username": "bob", "keyauth_credentials": []any{map[string]any{"key": v.markers["consumer.keyauth_credentials[].key"]}},
	})
	v.refuse(d.text(v.t))

	d = v.whole()
	v.markers["another password"] = marker("another-password")
	d.set("config.vectordb.redis.password", v.markers["another password"])
	d.set("config.targets[].description", "Knows about history, with a new description")
	v.write(d.text(v.t))
	require.Eventually(v.t, func() bool { return v.storeErrors() > 0 }, waitLimit, waitStep, "Redis refuses the password")
	require.Equal(v.t, http.StatusOK, v.ask(code).Status)
}

func (v *vaultUser) write(text string) {
	v.t.Helper()
	require.NoError(v.t, os.WriteFile(v.file+".new", []byte(text), 0o600))
	require.NoError(v.t, os.Rename(v.file+".new", v.file))
}

// refuse writes a configuration that is refused.
func (v *vaultUser) refuse(text string) {
	v.t.Helper()
	_, before := v.reloads()
	v.write(text)
	require.Eventually(v.t, func() bool { _, now := v.reloads(); return now > before }, waitLimit, waitStep)
	v.said.WriteString(v.Page("/status").Body)
}

// requireOwnOnly checks that each credential of a target is at that target and at no
// other, and the embedder's at the embedder.
func (v *vaultUser) requireOwnOnly() {
	owners := map[string]*harness.Stub{"config.targets[0]": v.cook1, "config.targets[1]": v.cook2, "config.targets[2]": v.code, "config.embeddings": v.e.Stub}
	for owner, s := range owners {
		seen := everything(s.Requests())
		others := maps.Clone(v.markers)
		for field, m := range v.markers {
			if !strings.HasPrefix(field, owner) {
				continue
			}
			delete(others, field)
			if v.uses(field) {
				require.True(v.t, strings.Contains(seen, m) || strings.Contains(seen, traces(m)["in a URL"]), "%s is at its own", field)
			}
		}
		requireNoTrace(v.t, "what "+s.Name+" got", seen, others)
	}
	files, err := filepath.Glob(filepath.Join(v.dir, "semlb-*", "*.json"))
	require.NoError(v.t, err)
	require.NotEmpty(v.t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(v.t, err)
		requireNoTrace(v.t, file, string(text), v.markers)
	}
}

func (v *vaultUser) uses(field string) bool {
	for _, path := range v.supported {
		for i := range 3 {
			if at(path, i) == field {
				return true
			}
		}
	}
	return false
}
