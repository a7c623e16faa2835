package seed_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/ca"
	"semlb/test/harness"
	"semlb/test/tools"
)

func seedFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(tools.Root(t), "examples", "deck", "global.yaml")
}

// command runs a command line with the key in the environment; it must not print it.
func command(t *testing.T, args ...string) harness.Result {
	t.Helper()
	r := harness.Command(t, map[string]string{keyVariable: key}, args...)
	require.NotContains(t, r.Stdout+r.Stderr, key)
	return r
}

func TestValidateAcceptsTheSeed(t *testing.T) {
	r := command(t, "validate", seedFile(t))
	require.Zero(t, r.Code, r.Stderr)
	require.Regexp(t, `^valid\b.*\b1\b.*ai-proxy-advanced\b.*\n$`, r.Stdout)
	require.Empty(t, r.Stderr)
}

func TestValidateNamesEveryPlaceOfAVariableThatIsUnset(t *testing.T) {
	r := harness.Command(t, nil, "validate", seedFile(t))
	require.Equal(t, 1, r.Code)
	require.Empty(t, r.Stdout)
	for _, line := range []string{"17", "41", "56", "71"} {
		require.Regexp(t, `global\.yaml:`+line+`: .*DECK_OPENAI_API_KEY is not set`, r.Stderr)
	}
}

// explained is the JSON of explain.
type explained struct {
	Reason    string   `json:"reason"`
	Threshold *float64 `json:"threshold"`
	Error     string   `json:"error"`
	Distances []struct {
		Description string  `json:"description"`
		Distance    float64 `json:"distance"`
	} `json:"distances"`
	Plan []struct {
		Attempt  int    `json:"attempt"`
		Model    string `json:"model"`
		Weight   int    `json:"weight"`
		Endpoint string `json:"endpoint"`
	} `json:"plan"`
}

func explain(t *testing.T, o *openAI, prompt string) explained {
	t.Helper()
	r := command(t, "explain", "--decision-budget", "1m", "-c", seedFile(t), "--provider-url", "openai="+o.URL, "--json", prompt)
	require.Zero(t, r.Code, r.Stderr)
	var e explained
	require.NoError(t, json.Unmarshal([]byte(r.Stdout), &e), r.Stdout)
	require.Empty(t, o.chatRequests(), "explain calls no model")
	return e
}

func TestExplainShowsDistancesAndPlan(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	e := explain(t, o, "programming similarity=0.8")
	require.Equal(t, "matched", e.Reason)
	require.Empty(t, e.Error)
	require.Equal(t, 0.7, *e.Threshold)
	require.Len(t, e.Distances, 2)
	require.Equal(t, programming, e.Distances[0].Description)
	require.InDelta(t, 0.2, e.Distances[0].Distance, 1e-6)
	require.InDelta(t, 1, e.Distances[1].Distance, 1e-6)
	require.Len(t, e.Plan, 2)
	for i, want := range []struct {
		model  string
		weight int
	}{{"openai/gpt-4o", 75}, {"openai/gpt-4o-mini", 25}} {
		require.Equal(t, i+1, e.Plan[i].Attempt)
		require.Equal(t, want.model, e.Plan[i].Model)
		require.Equal(t, want.weight, e.Plan[i].Weight)
		require.Equal(t, o.URL, e.Plan[i].Endpoint)
	}
}

func TestExplainShowsThatNothingMatches(t *testing.T) {
	startRedis(t)
	e := explain(t, newOpenAI(t), "real life similarity=0.1")
	require.Equal(t, "beyond_threshold", e.Reason)
	require.Equal(t, realLife, e.Distances[0].Description)
	require.Len(t, e.Plan, 1)
}

func TestExplainShowsWhyItCannotCompare(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	o.embedsWith(harness.Status(http.StatusInternalServerError))
	e := explain(t, o, "about programming")
	require.Equal(t, "degraded", e.Reason)
	require.Contains(t, e.Error, "500")
	require.Len(t, e.Plan, 2)
}

func TestExplainIsReadable(t *testing.T) {
	startRedis(t)
	r := command(t, "explain", "--decision-budget", "1m", "-c", seedFile(t), "--provider-url", "openai="+newOpenAI(t).URL, "programming similarity=0.8")
	require.Zero(t, r.Code)
	require.Empty(t, r.Stderr)
	for _, line := range []string{
		`(?m)^threshold +0\.7 *$`,
		`(?m)^distance +0\.2000 +Specialist in programming problems$`,
		`(?m)^distance +1\.0000 +Specialist in real life topics$`,
		`(?m)^reason +matched +the nearest description is within the threshold$`,
		`(?m)^attempt 1 +openai/gpt-4o +weight 75, "Specialist in programming problems", http://127`,
		`(?m)^attempt 2 +openai/gpt-4o-mini +weight 25,`,
	} {
		require.Regexp(t, line, r.Stdout)
	}
}

func TestExplainWithoutRedisPrintsNoLogOfTheLibrary(t *testing.T) {
	startRedis(t).Kill()
	r := harness.Exec(t, map[string]string{keyVariable: key}, "explain", "--decision-budget", "1m", "-c", seedFile(t), "--provider-url", "openai="+newOpenAI(t).URL, "--json", "about programming")
	require.Zero(t, r.Code, r.Stderr)
	require.Contains(t, r.Stdout, `"reason": "matched"`)
	require.NotContains(t, r.Stderr, "pool.go")
}

// TestEnvoysConfigurationHasNoKey, and Envoy takes it as it is printed.
func TestEnvoysConfigurationHasNoKey(t *testing.T) {
	authority := ca.New(t)
	static := []string{"envoy", "--static", "-c", seedFile(t), "--trusted-ca", authority.File}
	for name, args := range map[string][]string{
		"static":                 static,
		"static with a socket":   append(static, "--hop", "uds", "--envoy-admin", "127.0.0.1:9901"),
		"static over TCP":        append(static, "--grpc-address", "127.0.0.1:8081", "--grpc-address", "127.0.0.1:8082"),
		"bootstrap":              {"envoy"},
		"bootstrap for replicas": {"envoy", "--grpc-address", "semlb-0.semlb:8081", "--grpc-address", "semlb-1.semlb:8081", "--envoy-admin", "127.0.0.1:9901"},
	} {
		t.Run(name, func(t *testing.T) {
			r := command(t, args...)
			require.Zero(t, r.Code, r.Stderr)
			require.Empty(t, r.Stderr)
			require.NotRegexp(t, `(?i)bearer|authorization"`, r.Stdout)
			tools.ValidateEnvoy(t, harness.EnvoyVersion(), r.Stdout)
		})
	}
	printed := command(t, static...).Stdout
	require.Contains(t, printed, "api.openai.com")
	require.Equal(t, 1, strings.Count(printed, `"address": "api.openai.com"`), "one cluster for the three targets of one endpoint")
}
