package server

import (
	"context"
	"net/url"
	"strings"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"semlb/envoy"
	"semlb/provider"
	"semlb/router"
)

// replanOf is the replan in an answer; nil for none.
func replanOf(t *testing.T, answers []*extprocv3.ProcessingResponse, err error) url.Values {
	t.Helper()
	require.NoError(t, err)
	metadata := answers[len(answers)-1].GetDynamicMetadata()
	if metadata == nil {
		return nil
	}
	text := metadata.GetFields()[envoy.MetadataNamespace].GetStructValue().GetFields()[envoy.KeyReplan].GetStringValue()
	values, err := url.ParseQuery(text)
	require.NoError(t, err)
	return values
}

// repeating makes an attempt one of a request whose attempts may be repeated.
func repeating(m *extprocv3.ProcessingRequest, number string) *extprocv3.ProcessingRequest {
	for _, h := range m.GetRequestHeaders().GetHeaders().GetHeaders() {
		if h.GetKey() == envoy.HeaderAttempt {
			h.Value, h.RawValue = number, []byte(number)
		}
	}
	retry := headersMessage(false, envoy.HeaderRetry, "|absent|").GetRequestHeaders().GetHeaders().GetHeaders()
	head := m.GetRequestHeaders().GetHeaders()
	head.Headers = append(head.Headers, retry...)
	return m
}

// TestAReplicaGoesOnByItsOwnPlan: what it makes an attempt of has the targets that were tried,
// and those that its own plan has after them.
func TestAReplicaGoesOnByItsOwnPlan(t *testing.T) {
	w := newReplica(t)
	w.snapshot.Find(Match{}).Policy = envoy.NewPolicy([]string{"error", "http_429", "http_503", "non_idempotent"})
	w.snapshot.Find(Match{}).Targets["b2"].Statistics = true
	for _, tt := range []struct {
		name, number string
		targets      []string // identities
		plan         string
		next         []string
	}{
		{"nothing was tried", "1", []string{"gone", "away"}, "a1,b2", []string{"one", "two"}},
		{"the first was tried", "2", []string{"one", "away"}, "x1,b2", []string{"one", "two"}},
		{"another was tried", "2", []string{"gone", "one"}, "x1,a1,b2", []string{"gone", "one", "two"}},
	} {
		head := repeating(attemptOf(t, url.Values{keyTarget: tt.targets, keySet: {"x-odd"}, keyRoute: {"r"}}), tt.number)
		answers, err := w.talkWith(tried(envoy.RoleInner, lastTry), head, bodyMessage(goodBody))
		set, replan := setBy(t, answers, err), replanOf(t, answers, err)
		for _, values := range []func(string) string{replan.Get, func(name string) string { return set[name] }} {
			require.Equal(t, tt.plan, values(envoy.HeaderPlan), tt.name)
			require.Equal(t, "i", values(envoy.HeaderInstance), tt.name)
			require.Equal(t, "|connect|protocol|reset|absent|", values(envoy.HeaderRetry), tt.name)
			require.NotEmpty(t, values(envoy.HeaderIdle), tt.name)
			require.NotEmpty(t, values(envoy.HeaderWords), tt.name)
		}
		require.Equal(t, " 429 503 ", replan.Get("statuses"), tt.name)
		require.Equal(t, []string{"x-odd"}, replan["remove"], tt.name)
		match, err := url.ParseQuery(replan.Get(envoy.HeaderMatch))
		require.NoError(t, err)
		require.Equal(t, tt.next, match[keyTarget], tt.name)
		require.Equal(t, []string{"x-odd"}, match[keySet], tt.name)
		require.Equal(t, "r", match.Get(keyRoute), tt.name)
	}
}

// TestARequestKeepsItsPlan: one of which Envoy makes no further attempts, or whose
// description has no room.
func TestARequestKeepsItsPlan(t *testing.T) {
	w := newReplica(t)
	long := url.Values{keyTarget: {"gone", "away"}, keyConsumer: {strings.Repeat("c", provider.MaxOriginals)}}
	for name, head := range map[string]*extprocv3.ProcessingRequest{
		"not repeated":        attemptOf(t, url.Values{keyTarget: {"gone", "away"}}),
		"too long":            repeating(attemptOf(t, long), "2"),
		"not described whole": repeating(attemptOf(t, url.Values{}), "2"),
	} {
		answers, err := w.talkWith(tried(envoy.RoleInner, lastTry), head, bodyMessage(goodBody))
		require.Empty(t, replanOf(t, answers, err), name)
		require.NotContains(t, setBy(t, answers, err), envoy.HeaderRetry, name)
	}
}

// TestAReplanHasNoTargetThatEnvoyCannotReach: an attempt at it would be for another target
// again, and so on.
func TestAReplanHasNoTargetThatEnvoyCannotReach(t *testing.T) {
	w := newReplica(t)
	for _, tt := range []struct {
		name, number string
		targets      []string // identities
		plan         string
	}{
		{"nothing was tried", "1", []string{"gone", "away"}, "a1"},
		{"all were tried", "2", []string{"one", "two"}, "x1,a1"},
	} {
		head := repeating(attemptOf(t, url.Values{keyTarget: tt.targets}), tt.number)
		answers, err := w.talkWith(tried(envoy.RoleInner, lastTry), withClusters(head, "cluster-a1"), bodyMessage(goodBody))
		require.Equal(t, tt.plan, replanOf(t, answers, err).Get(envoy.HeaderPlan), tt.name)
	}
}

// TestAReplicaWithTriedTargetsOnlyLeavesAnAttempt: another one may have a target that was not.
func TestAReplicaWithTriedTargetsOnlyLeavesAnAttempt(t *testing.T) {
	w := newReplica(t)
	for name, tt := range map[string]struct {
		identity, shape string
		takes           bool
	}{
		"the reachable one was tried": {"one", "", false},
		"another was":                 {"gone", "llm/v1/chat", true},
		"it takes other requests":     {"gone", "llm/v1/completions", false},
	} {
		head := repeating(attemptOf(t, url.Values{
			keyTarget: {tt.identity, "away"}, keyCluster: {"cluster-x1", "cluster-x2"}, keyShape: {tt.shape},
		}), "2")
		answers, err := w.talkWith(tried(envoy.RoleInner, "1"), withClusters(head, "cluster-a1"), bodyMessage(goodBody))
		if tt.takes {
			require.Equal(t, "cluster-a1", setBy(t, answers, err)[envoy.HeaderCluster], name)
			continue
		}
		require.Equal(t, codes.Unavailable, status.Code(err), name)
	}
}

// probing is a router that probes the first target of its plan.
type probing struct{ fixedPlan }

func (p probing) Route(ctx context.Context, q router.Request) router.Plan {
	plan := p.fixedPlan.Route(ctx, q)
	plan.Probes = []router.Probe{{Target: plan.Targets[0], Token: 1}}
	return plan
}

// TestAReplanTriesHalfOpenTargetsLast: its attempts are no probes.
func TestAReplanTriesHalfOpenTargetsLast(t *testing.T) {
	w := newTestServer(t, probing{}, func(i *Instance) {
		for _, target := range i.Targets {
			target.RouteType = "llm/v1/chat"
		}
		i.Targets["c3"] = targetOf(t, "c3")
		i.Targets["c3"].Cluster = "cluster-c3"
	})
	head := repeating(attemptOf(t, url.Values{keyTarget: {"gone", "c3"}}), "2")
	answers, err := w.talkWith(tried(envoy.RoleInner, lastTry), head, bodyMessage(goodBody))
	require.Equal(t, "x1,c3,b2,a1", replanOf(t, answers, err).Get(envoy.HeaderPlan))
}

func TestAReplanHasABoundedNumberOfTargets(t *testing.T) {
	home, chosen := &Instance{ID: "i", Targets: make(map[string]*Target)}, []string{}
	for _, id := range strings.Split("abcdefghijklmnopqrstuvw", "") {
		home.Targets[id] = &Target{Identity: id}
		chosen = append(chosen, id)
	}
	substitute := targetOf(t, "z")
	home.Targets["z"] = substitute
	for _, tt := range []struct{ attempts, want int }{{6, 6}, {1, 1}, {100, 1 + envoy.MostReplanned}} {
		home.Attempts = tt.attempts
		sub := substitution{description: new(description), plan: plan{targets: []string{"x1"}, number: 1}, home: home, chosen: chosen}
		require.Equal(t, strings.Split("zabcdefghijklmnop", "")[:tt.want], sub.next(substitute, "").targets)
	}
}
