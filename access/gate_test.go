package access_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/access"
	"semlb/config/configtest"
	"semlb/config/load"
)

// gate is that of plugins beside an instance, with two consumers.
func gate(t *testing.T, plugins string) *access.Gate {
	t.Helper()
	return access.New(configtest.Load(t, configtest.Minimal+plugins+`
consumers:
- {username: anna, acls: [{group: staff}], groups: [{name: gold}], keyauth_credentials: [{key: annas}]}
- {username: bob, keyauth_credentials: [{key: bobs}]}
consumer_groups: [{name: gold}]
routes: [{name: r}]
`, load.Options{}))
}

// head is a request with headers.
func head(headers map[string]string) *access.Request {
	return &access.Request{
		Method: http.MethodPost, Client: netip.MustParseAddr("::ffff:10.1.2.3"),
		Header: func(name string) []string {
			if value, ok := headers[name]; ok {
				return []string{value}
			}
			return nil
		},
	}
}

// code is that of the refusal of a request; empty if it passes.
func code(g *access.Gate, r *access.Request) string {
	if refusal := g.Check(r).Refusal; refusal != nil {
		return refusal.Code
	}
	return ""
}

func TestWithoutPluginsEverythingPasses(t *testing.T) {
	off := gate(t, "- {name: acl, enabled: false, config: {allow: [staff]}}\n- {name: key-auth, enabled: false}")
	for _, g := range []*access.Gate{nil, off} {
		r := head(nil)
		require.Equal(t, access.Verdict{}, g.Check(r))
		r.Consumer, r.Groups = "anna", []string{"staff"}
		require.Equal(t, access.Verdict{Consumer: "anna", Groups: []string{"staff"}}, g.Check(r), "what the listener names")
	}
}

// TestGroupsOfAListener: acl goes by the consumer and the groups that a listener names.
func TestGroupsOfAListener(t *testing.T) {
	for _, tt := range []struct {
		settings, consumer string
		groups             []string
		want               string
	}{
		{"allow: [staff]", "", nil, access.CodeNoCredential},
		{"allow: [staff]", "", []string{"staff"}, ""},
		{"allow: [staff]", "", []string{"guests"}, access.CodeNotAllowed},
		{"deny: [staff]", "", nil, access.CodeNoCredential},
		{"deny: [staff]", "", []string{"guests"}, ""},
		{"allow: [staff]", "anna", nil, ""},
		{"allow: [staff]", "anna", []string{"guests"}, ""},
		{"allow: [staff], always_use_authenticated_groups: true", "anna", []string{"guests"}, access.CodeNotAllowed},
		{"allow: [staff], always_use_authenticated_groups: true", "anna", nil, ""},
		{"allow: [staff]", "bob", nil, access.CodeNotAllowed},
		{"deny: [staff]", "bob", nil, ""},
		{"allow: [gold]", "anna", nil, access.CodeNotAllowed},
		{"allow: [gold], include_consumer_groups: true", "anna", nil, ""},
		{"allow: [gold], include_consumer_groups: true", "unknown", []string{"gold"}, ""},
	} {
		r := head(nil)
		r.Consumer, r.Groups = tt.consumer, tt.groups
		require.Equal(t, tt.want, code(gate(t, "- {name: acl, config: {"+tt.settings+"}}"), r), "%+v", tt)
	}
}

// TestAListenerMayNameAConsumerByAnID, which has the groups and the plugins of its name.
func TestAListenerMayNameAConsumerByAnID(t *testing.T) {
	const id = "11111111-1111-4111-8111-111111111111"
	g := access.New(configtest.Load(t, configtest.Minimal+`
- {name: acl, config: {deny: [banned]}}
- {name: request-termination, consumer: eve, config: {trigger: x-stop}}
consumers: [{username: eve, id: `+id+`, custom_id: sub-of-eve, acls: [{group: banned}]}]
`, load.Options{}))
	for _, name := range []string{"eve", id, "sub-of-eve"} {
		r := head(nil)
		r.Consumer = name
		verdict := g.Check(r)
		require.Equal(t, "eve", verdict.Consumer, name)
		require.NotNil(t, verdict.Refusal, name)
		require.Equal(t, access.CodeNotAllowed, verdict.Refusal.Code, name)
	}
}

// TestPluginsThatAuthenticateGoBeforeTheListener: where a plugin authenticates, what the listener says of consumers
// and groups does not count.
func TestPluginsThatAuthenticateGoBeforeTheListener(t *testing.T) {
	g := gate(t, "- {name: key-auth, config: {anonymous: bob}}\n- {name: acl, config: {allow: [staff]}}")
	for keyOf, want := range map[string]string{"annas": "", "bobs": access.CodeNotAllowed, "wrong": access.CodeNoCredential, "": access.CodeNoCredential} {
		r := head(map[string]string{"apikey": keyOf})
		r.Consumer, r.Groups = "anna", []string{"staff"}
		verdict := g.Check(r)
		require.Empty(t, verdict.Groups)
		require.Equal(t, []string{"apikey"}, verdict.Spent)
		if want == "" {
			require.Nil(t, verdict.Refusal)
			require.Equal(t, "anna", verdict.Consumer)
			continue
		}
		require.Equal(t, want, verdict.Refusal.Code, keyOf)
	}
}

func TestPreflightsNeedNoCredentialIfThePluginSaysSo(t *testing.T) {
	r := head(nil)
	r.Method = http.MethodOptions
	require.Equal(t, access.CodeNoCredential, code(gate(t, "- name: key-auth"), r))
	require.Empty(t, code(gate(t, "- {name: key-auth, config: {run_on_preflight: false}}"), r))
}

func TestAddressesAreComparedAsTheyAre(t *testing.T) {
	for settings, want := range map[string]string{
		"allow: [10.0.0.0/8]": "", "allow: [10.1.2.3]": "", "allow: ['::ffff:10.1.2.3']": "", "allow: [10.1.2.4, '2001:db8::/32']": access.CodeAddress,
		"deny: [10.1.0.0/16]": access.CodeAddress, "deny: [10.1.2.4]": "", "allow: [10.0.0.0/8], deny: [10.1.2.3]": access.CodeAddress,
	} {
		require.Equal(t, want, code(gate(t, "- {name: ip-restriction, config: {"+settings+"}}"), head(nil)), settings)
	}
	unknown := head(nil)
	unknown.Client = netip.Addr{}
	require.Equal(t, access.CodeAddress, code(gate(t, "- {name: ip-restriction, config: {deny: [10.1.2.4]}}"), unknown))
}

func TestLengths(t *testing.T) {
	g := gate(t, "- {name: request-size-limiting, config: {allowed_payload_size: 1, size_unit: kilobytes, require_content_length: true}}")
	for length, want := range map[string]int{"1024": 0, "1025": 413, "": 411, "x": 411} {
		verdict := g.Check(head(map[string]string{"content-length": length}))
		require.EqualValues(t, 1024, *verdict.BodyLimit)
		if want != 0 {
			require.Equal(t, want, verdict.Refusal.Status, length)
		}
	}
	require.Equal(t, 417, g.Check(head(map[string]string{"content-length": "9999", "expect": "100-continue"})).Refusal.Status)
	require.Empty(t, code(g, head(map[string]string{"transfer-encoding": "chunked"})))
	bodiless := head(nil)
	bodiless.Bodiless = true
	require.Empty(t, code(g, bodiless))
}

func TestATriggerIsAHeaderOrAParameter(t *testing.T) {
	g := gate(t, "- {name: request-termination, config: {trigger: X-Stop, status_code: 429}}")
	require.Empty(t, code(g, head(nil)))
	require.Equal(t, access.CodeTerminated, code(g, head(map[string]string{"x-stop": ""})))
	r := head(nil)
	r.Query = "X-Stop"
	refusal := g.Check(r).Refusal
	require.Equal(t, http.StatusTooManyRequests, refusal.Status)
	require.Equal(t, "Too Many Requests", refusal.Message)
}

// TestPluginsOfConsumersGuardThemOnly on the routes that they are bound to.
func TestPluginsOfConsumersGuardThemOnly(t *testing.T) {
	g := gate(t, "- name: key-auth\n- {name: request-termination, consumer: anna, route: r}\n- {name: request-termination, consumer_group: gold, config: {trigger: x-stop}}")
	for _, tt := range []struct{ key, route, want string }{
		{"annas", "r", access.CodeTerminated}, {"annas", "", ""}, {"bobs", "r", ""},
	} {
		r := head(map[string]string{"apikey": tt.key})
		r.Route = tt.route
		require.Equal(t, tt.want, code(g, r), "%+v", tt)
	}
}

// TestNoKeyOfAConsumerIsLeft in a request that has several: the first name counts, and none
// of them goes to a provider. Beside a key, Authorization may be the client's own for one.
func TestNoKeyOfAConsumerIsLeft(t *testing.T) {
	g := gate(t, "- {name: key-auth, config: {key_names: [X-Team, apikey, Authorization]}}")
	verdict := g.Check(head(map[string]string{"apikey": "annas", "x-team": "bobs", "authorization": "Bearer of-a-provider"}))
	require.Nil(t, verdict.Refusal)
	require.Equal(t, "bob", verdict.Consumer)
	require.Equal(t, []string{"x-team", "apikey"}, verdict.Spent)
	require.Equal(t, access.CodeInvalidCredential, code(g, head(map[string]string{"apikey": "annas", "x-team": "wrong"})))
}
