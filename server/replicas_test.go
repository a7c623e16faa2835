package server

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"semlb/envoy"
	"semlb/provider"
	"semlb/provider/providertest"
)

var lastTry = strconv.Itoa(envoy.Tries)

// tried is the gRPC metadata of a call in a role at one of Envoy's tries.
func tried(role, try string) metadata.MD {
	return metadata.Pairs(envoy.RoleKey, role, envoy.MetadataTry, try, envoy.MetadataTries, lastTry)
}

// withClusters is a message with the clusters that the calling Envoy has.
func withClusters(m *extprocv3.ProcessingRequest, names ...string) *extprocv3.ProcessingRequest {
	m.Attributes = map[string]*structpb.Struct{"envoy.filters.http.ext_proc": {Fields: map[string]*structpb.Value{
		envoy.AttributeClusters: structpb.NewStringValue(string(envoy.ListClusters(names))),
	}}}
	return m
}

// setBy are the headers that the last of some answers sets.
func setBy(t *testing.T, answers []*extprocv3.ProcessingResponse, err error) map[string]string {
	t.Helper()
	require.NoError(t, err)
	require.NotEmpty(t, answers)
	body := answers[len(answers)-1].GetRequestBody()
	require.NotNil(t, body, answers)
	set := make(map[string]string)
	for _, h := range body.GetResponse().GetHeaderMutation().GetSetHeaders() {
		set[h.GetHeader().GetKey()] = string(h.GetHeader().GetRawValue())
	}
	return set
}

// newReplica is a server with the targets a1 and b2, whose identities are those of the
// targets x1 and x2 of another configuration.
func newReplica(t *testing.T) *testServer {
	return newTestServer(t, fixedPlan{}, func(i *Instance) {
		i.Targets["a1"].Identity, i.Targets["b2"].Identity, i.Targets["b2"].Place = "one", "two", 1
		for _, target := range i.Targets {
			target.RouteType = "llm/v1/chat"
		}
	})
}

// attemptOf is the head of attempt 2 of a plan that another configuration made; targets are
// the identities of the plan's.
func attemptOf(t *testing.T, description url.Values) *extprocv3.ProcessingRequest {
	t.Helper()
	request, err := provider.ReadRequest([]byte(goodBody))
	require.NoError(t, err)
	originals, err := provider.EncodeOriginals(request, provider.Touched{}, "")
	require.NoError(t, err)
	return headersMessage(false, ":path", "/", envoy.HeaderInstance, "another", envoy.HeaderPlan, "x1,x2",
		envoy.HeaderAttempt, "2", envoy.HeaderOriginals, originals, envoy.HeaderMatch, description.Encode(), "x-odd", "the key of x1")
}

func TestAReplicaLeavesWhatItDoesNotHaveToAnother(t *testing.T) {
	w := newReplica(t)
	body := bodyMessage(goodBody)
	described := attemptOf(t, url.Values{keyTarget: {"one", "two"}})
	for _, try := range []string{"1", "2"} {
		answers, err := w.talkWith(tried(envoy.RoleInner, try), described, body)
		require.Equal(t, codes.Unavailable, status.Code(err), "Envoy calls another one")
		require.Empty(t, answers)
		answers, err = w.talkWith(tried(envoy.RoleOuter, try), withClusters(headersMessage(false, ":path", "/"), "cluster-a1"), body)
		require.Equal(t, codes.Unavailable, status.Code(err), "Envoy cannot reach b2")
		require.Empty(t, answers)
		answers, err = w.talkWith(tried(envoy.RoleOuter, try), withClusters(headersMessage(false, ":path", "/"), "cluster-a1", "cluster-b2"), body)
		require.Equal(t, "cluster-a1", setBy(t, answers, err)[envoy.HeaderFirst])
	}
	answers, err := w.talkWith(tried(envoy.RoleOuter, strconv.Itoa(partialTry)), withClusters(headersMessage(false, ":path", "/"), "cluster-a1"), body)
	require.Equal(t, "cluster-a1", setBy(t, answers, err)[envoy.HeaderFirst], "Envoy can reach a1, and perhaps never b2")
	for name, md := range map[string]metadata.MD{
		"the last try": tried(envoy.RoleInner, lastTry), "a later one": tried(envoy.RoleInner, "99"), "no number": tried(envoy.RoleInner, "-"),
		"an Envoy with one replica": metadata.Pairs(envoy.RoleKey, envoy.RoleInner, envoy.MetadataTries, lastTry),
		"an Envoy of old":           metadata.Pairs(envoy.RoleKey, envoy.RoleInner),
	} {
		answers, err := w.talkWith(md, described, body)
		set := setBy(t, answers, err)
		require.Equal(t, "cluster-b2", set[envoy.HeaderCluster], name)
		require.Equal(t, "i", set[envoy.HeaderInstance], name)
		require.Equal(t, "x1,b2", set[envoy.HeaderPlan], "the log, and what observes, see the target that it is")
	}
}

// TestAReplicaMakesAnAttemptThatNoneCanMakeAsPlanned: the cluster of the plan's target is gone.
func TestAReplicaMakesAnAttemptThatNoneCanMakeAsPlanned(t *testing.T) {
	w := newReplica(t)
	for name, tt := range map[string]struct {
		clusters []string
		takes    bool
	}{
		"Envoy has the planned cluster": {[]string{"cluster-x2", "cluster-b2"}, false},
		"Envoy has this replica's":      {[]string{"cluster-b2"}, true},
		"Envoy has neither":             {[]string{"cluster-c3"}, false},
	} {
		head := attemptOf(t, url.Values{keyTarget: {"another", "yet-another"}, keyCluster: {"cluster-x1", "cluster-x2"}})
		answers, err := w.talkWith(tried(envoy.RoleInner, "1"), withClusters(head, tt.clusters...), bodyMessage(goodBody))
		if tt.takes {
			require.Equal(t, "cluster-b2", setBy(t, answers, err)[envoy.HeaderCluster], name)
			continue
		}
		require.Equal(t, codes.Unavailable, status.Code(err), name)
	}
}

// TestASubstituteGetsNoKeyOfTheFirstTarget: the instance here does not know the header as
// one of its credentials.
func TestASubstituteGetsNoKeyOfTheFirstTarget(t *testing.T) {
	w := newReplica(t)
	answers, err := w.talkWith(tried(envoy.RoleInner, lastTry), attemptOf(t, url.Values{keyTarget: {"one", "two"}, keySet: {"x-odd"}}), bodyMessage(goodBody))
	require.NotContains(t, setBy(t, answers, err), "x-odd")
	require.Contains(t, answers[1].GetRequestBody().GetResponse().GetHeaderMutation().GetRemoveHeaders(), "x-odd")
}

func TestAnAttemptWithoutAnyTargetIsUnavailable(t *testing.T) {
	w := newReplica(t)
	find := w.snapshot.Find
	for name, change := range map[string]func(m *extprocv3.ProcessingRequest){
		"not described": func(m *extprocv3.ProcessingRequest) {
			headers := m.GetRequestHeaders().GetHeaders()
			headers.Headers = slices.DeleteFunc(headers.Headers, func(h *corev3.HeaderValue) bool { return h.GetKey() == envoy.HeaderMatch })
		},
		"no instance": func(*extprocv3.ProcessingRequest) { w.snapshot.Find = func(Match) *Instance { return nil } },
		"no cluster":  func(m *extprocv3.ProcessingRequest) { withClusters(m) },
	} {
		w.snapshot.Find = find
		head := attemptOf(t, url.Values{keyTarget: {"one", "two"}})
		change(head)
		answers, err := w.talkWith(tried(envoy.RoleInner, lastTry), head, bodyMessage(goodBody))
		require.NoError(t, err)
		answer := answers[len(answers)-1].GetImmediateResponse()
		require.EqualValues(t, 503, answer.GetStatus().GetCode(), name)
		require.Contains(t, string(answer.GetBody()), `"code":"upstream_unavailable"`, name)
		for _, h := range answer.GetHeaders().GetSetHeaders() {
			require.NotEqual(t, envoy.FinalHeader, h.GetHeader().GetKey(), "the next attempt is made")
		}
	}
}

// TestThePlanDescribesItsRequest: only for an Envoy that takes the header off again.
func TestThePlanDescribesItsRequest(t *testing.T) {
	w := newReplica(t)
	answers, err := w.talkWith(tried(envoy.RoleOuter, "1"), headersMessage(false, ":path", "/"), bodyMessage(goodBody))
	values, err := url.ParseQuery(setBy(t, answers, err)[envoy.HeaderMatch])
	require.NoError(t, err)
	require.Equal(t, url.Values{keyTarget: {"one", "two"}, keyPlace: {"0", "1"}, keyCluster: {"cluster-a1", "cluster-b2"}, keyShape: {"llm/v1/chat"}}, values)
	answers, err = w.talk([]string{envoy.RoleOuter}, headersMessage(false, ":path", "/"), bodyMessage(goodBody))
	require.NotContains(t, setBy(t, answers, err), envoy.HeaderMatch)
}

func TestDescriptionsAreReadAsTheyWereWritten(t *testing.T) {
	x := &exchange{call: call{tries: 3}, match: Match{
		Route: "a b", Service: "s&=", Names: []string{"n1", "n2"}, Consumer: "ü", Groups: []string{"g,1", "g2"},
	}}
	set := describe(nil, x, []*Target{{Identity: "one", Cluster: "c", RouteType: "r"}, {Identity: "two", Place: 3, RouteType: "r"}}, []provider.Header{{Name: "authorization"}})
	require.Len(t, set, 1)
	read := exchangeOf(t, headersMessage(false, set[0].Name, set[0].Value).GetRequestHeaders().GetHeaders().GetHeaders())
	d, ok := readDescription(read)
	require.True(t, ok)
	require.Equal(t, description{Match: x.match, targets: []described{{"one", "0", "c"}, {"two", "3", ""}}, shape: "r", set: []string{"authorization"}}, d)

	x.match.Consumer = strings.Repeat("x", provider.MaxOriginals)
	require.Empty(t, describe(nil, x, nil, nil), "too long for a header")
}

func TestSubstitutesAreInTheOrderOfWhatWasTried(t *testing.T) {
	home := &Instance{Targets: make(map[string]*Target)}
	for place, identity := range []string{"one", "two", "three", "four", "five"} {
		target := providertest.NewTarget(t, provider.Settings{ID: "id-" + identity, Provider: "openai", Model: identity})
		home.Targets[target.ID()] = &Target{Target: target, Identity: identity, Place: place, RouteType: "chat"}
	}
	other := providertest.NewTarget(t, provider.Settings{ID: "completions", Provider: "openai", Model: "m"})
	home.Targets["completions"] = &Target{Target: other, Identity: "six", RouteType: "completions"}
	all := []string{"id-one", "id-two", "id-three", "id-four", "id-five", "completions"}
	for _, tt := range []struct {
		name   string
		plan   []described
		number int
		chosen []string
		want   string
	}{
		{"the same target first, a tried one last", []described{{identity: "one", place: "0"}, {identity: "five", place: "4"}}, 2, all, "five two three four one"},
		{"what has its place", []described{{identity: "one", place: "0"}, {identity: "gone", place: "3"}}, 2, all, "four two three five one"},
		{"not what has the place of one that an earlier attempt was for", []described{{identity: "gone", place: "1"}, {identity: "away", place: "9"}}, 2, all, "one three four five two"},
		{"not what a later attempt is for", []described{{identity: "one", place: "0"}, {identity: "gone", place: "9"}, {identity: "two", place: "1"}}, 2, all, "three four five two one"},
		{"what the router chooses", []described{{identity: "one", place: "0"}, {identity: "gone", place: "9"}}, 2, []string{"id-four"}, "four two three five one"},
		{"a plan without places", []described{{identity: "one"}, {identity: "gone"}}, 2, all, "two three four five one"},
	} {
		d := description{targets: tt.plan}
		var order []string
		for _, s := range d.substitutes(home, tt.number, tt.chosen, "chat") {
			order = append(order, s.Identity)
		}
		require.Equal(t, tt.want, strings.Join(order, " "), tt.name)
	}
}

func TestReachIsKeptForAListOfClusters(t *testing.T) {
	i := &Instance{Reach: new(Reach), Targets: map[string]*Target{"a": {Cluster: "http_a:1_c1_w1"}, "b": {Cluster: "http_b:1_c1_w1"}}}
	for range 2 {
		for list, want := range map[envoy.Clusters]reach{
			",http_a:1_c1_w1,http_b:1_c1_w1,": {some: true, all: true},
			",http_b:1_c2_w1,":                {some: true},
			",http_c:1_c1_w1,":                {},
			"":                                {some: true, all: true},
		} {
			want.clusters = list
			require.Equal(t, want, i.reachFrom(list), list)
			require.Equal(t, want, i.reachFrom(list), list)
		}
	}
}

// TestAPlanOfOneTargetCanBeMadeAgain: for an Envoy that repeats attempts whose cluster is
// absent.
func TestAPlanOfOneTargetCanBeMadeAgain(t *testing.T) {
	w := newTestServer(t, fixedPlan{panics: true}, func(i *Instance) { i.OnPanic = OnPanicDefault })
	for name, tt := range map[string]struct {
		md     metadata.MD
		repeat bool
	}{
		"several replicas":             {tried(envoy.RoleOuter, "1"), true},
		"one replica":                  {metadata.Pairs(envoy.RoleKey, envoy.RoleOuter, envoy.MetadataTries, lastTry), false},
		"an Envoy of a version before": {metadata.Pairs(envoy.RoleKey, envoy.RoleOuter, envoy.MetadataTry, "1", envoy.MetadataTries, "3"), false},
	} {
		answers, err := w.talkWith(tt.md, headersMessage(false, ":path", "/"), bodyMessage(goodBody))
		set := setBy(t, answers, err)
		require.Equal(t, tt.repeat, strings.Contains(set[envoy.HeaderRetry], string(envoy.ClassAbsent)), name)
		require.Equal(t, tt.repeat, set[envoy.HeaderOriginals] != "", name)
		require.Equal(t, "cluster-b2", set[envoy.HeaderFirst], name)
	}
}
