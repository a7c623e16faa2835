package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/ca"
	"semlb/test/harness"
)

// The lanes of the criteria's tests, by what their first target is.
const (
	laneStub = iota
	laneHTTP2
	laneRefused
	laneUnresolved
	laneWrongName
	laneSilent
)

// fault is something that goes wrong with a first attempt.
type fault struct {
	name string
	lane int
	// behaviour is that of the first target, if it is a stub that is reached.
	behaviour harness.Behaviour
	// criterion is the one under which the next target is tried; "" if none. With orError,
	// error is another one.
	criterion string
	orError   bool
	// unsent reports that no byte of the request was sent.
	unsent bool
	// status and code are what the client gets where nothing moves on; a provider's
	// own answer has no code.
	status int
	code   string
}

func faults() []fault {
	all := []fault{
		{name: "reset before the body is read", behaviour: harness.ResetEarly(), criterion: "error", status: 502, code: "upstream_reset"},
		{name: "reset", behaviour: harness.Reset(), criterion: "error", status: 502, code: "upstream_reset"},
		{name: "close", behaviour: harness.Close(), criterion: "error", status: 502, code: "upstream_reset"},
		{name: "HTTP/2 stream reset", lane: laneHTTP2, behaviour: harness.Reset(), criterion: "error", status: 502, code: "upstream_reset"},
		{name: "refused", lane: laneRefused, criterion: "error", unsent: true, status: 502, code: "upstream_connection_failed"},
		{name: "unresolved", lane: laneUnresolved, criterion: "error", unsent: true, status: 503, code: "upstream_unavailable"},
		{name: "certificate of another name", lane: laneWrongName, criterion: "error", unsent: true, status: 502, code: "upstream_connection_failed"},
		{name: "connection that is never completed", lane: laneSilent, criterion: "timeout", unsent: true, status: 504, code: "upstream_connect_timeout"},
		{name: "hang", behaviour: harness.Hang(), criterion: "timeout", status: 504, code: "upstream_timeout"},
		{name: "HTTP/2 hang", lane: laneHTTP2, behaviour: harness.Hang(), criterion: "timeout", status: 504, code: "upstream_timeout"},
		{name: "closed inside the head", behaviour: harness.Raw("HTTP/1.1 200 OK\r\nContent-Ty"), criterion: "invalid_header", orError: true, status: 502, code: "upstream_invalid_response"},
		{name: "garbage", behaviour: harness.Garbage(), criterion: "invalid_header", orError: true, status: 502, code: "upstream_invalid_response"},
		{name: "bad header", behaviour: harness.BadHeader(), criterion: "invalid_header", orError: true, status: 502, code: "upstream_invalid_response"},
	}
	for _, code := range []int{400, 401, 408, 409, 413, 422, 501, 529} {
		all = append(all, fault{name: http.StatusText(code), behaviour: harness.Status(code), status: code})
	}
	for code, criterion := range map[int]string{
		403: "http_403", 404: "http_404", 429: "http_429", 500: "http_500", 502: "http_502", 503: "http_503", 504: "http_504",
	} {
		all = append(all,
			fault{name: criterion, behaviour: harness.Status(code), criterion: criterion, status: code},
			fault{name: "HTTP/2 " + criterion, lane: laneHTTP2, behaviour: harness.Status(code), criterion: criterion, status: code})
	}
	return all
}

// moves reports whether the next target is tried after f.
func (f fault) moves(criteria []string) bool {
	listed := slices.Contains(criteria, f.criterion) || f.orError && slices.Contains(criteria, "error")
	return f.criterion != "" && listed &&
		(f.unsent || slices.Contains(criteria, "non_idempotent"))
}

// TestExactlyTheListedCriteriaMoveOn tries every fault under every set of criteria,
// from HTTP/1 and HTTP/2 clients. Envoy's own 502, 503 and 504 are never taken for
// the provider's.
func TestExactlyTheListedCriteriaMoveOn(t *testing.T) {
	for _, criteria := range [][]string{
		harness.SeedCriteria(),
		{"error", "timeout", "http_429", "http_503"}, // the seed's without non_idempotent
		{"error", "non_idempotent"},
		{"timeout", "non_idempotent"},
		{"invalid_header", "non_idempotent"},
		{"http_503", "non_idempotent"},
		{"http_502", "http_504", "non_idempotent"},
		{"http_403", "http_404", "http_500", "non_idempotent"},
		{"error", "timeout", "invalid_header", "http_403", "http_404", "http_429", "http_500", "http_502", "http_503", "http_504", "non_idempotent"},
		{"non_idempotent"},
	} {
		t.Run(strings.Join(criteria, ","), func(t *testing.T) {
			t.Parallel()
			c := newCriteria(t, criteria)
			for _, p := range harness.Protocols() {
				client := harness.NewClient(t, p)
				for _, f := range faults() {
					t.Run(string(p)+"/"+f.name, func(t *testing.T) { c.try(t, client, f) })
				}
			}
		})
	}
}

// criteriaTest is semlb with lanes whose first targets differ and whose second
// target is well.
type criteriaTest struct {
	criteria []string
	semlb    *harness.Semlb
	lanes    []lane
	first    map[int]*harness.Stub // by lane, where it can be reached
	unasked  *harness.Stub         // must never see a request
	second   *harness.Stub
}

func newCriteria(t *testing.T, criteria []string) *criteriaTest {
	authority := ca.New(t)
	c := &criteriaTest{
		criteria: criteria,
		first: map[int]*harness.Stub{
			laneStub:  harness.NewStub(t, "first").OncePerConnection(),
			laneHTTP2: harness.NewTLSStub(t, "first over HTTP/2", authority),
		},
		unasked: harness.NewTLSStub(t, "wrong name", authority, "other.test"),
		second:  harness.NewStub(t, "second"),
	}
	firsts := []string{
		laneStub: c.first[laneStub].URL, laneHTTP2: c.first[laneHTTP2].URL, laneRefused: harness.RefusedURL(t),
		laneUnresolved: "http://unresolved.invalid", laneWrongName: c.unasked.URL,
		laneSilent: harness.SilentURL(t),
	}
	var urls [][]string
	for _, first := range firsts {
		urls = append(urls, []string{first, c.second.URL})
	}
	c.lanes = lanes(urls...)
	c.semlb = harness.Start(t, harness.Options{
		Config: harness.Config(withLanes(harness.Plugin{Failover: criteria, ReadTimeout: 4000, ConnectTimeout: 4000}, c.lanes)),
		Flags:  []string{"--trusted-ca", authority.File},
	})
	return c
}

func (c *criteriaTest) try(t *testing.T, client *http.Client, f fault) {
	first := c.first[f.lane]
	reset(c.second, c.first[laneStub], c.first[laneHTTP2])
	if first != nil {
		first.Do(f.behaviour)
	}
	prompt := c.lanes[f.lane].prompt
	answer := c.semlb.Post(client, harness.Chat(prompt, clientModel))

	if first != nil {
		if got := first.Only(t); got.SHA256 != "" {
			requireAttempt(t, got, first, f.lane, 0, prompt)
		}
	}
	if f.moves(c.criteria) {
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
		require.Equal(t, "openai/"+modelOf(f.lane, 1), answer.Header.Get("X-Kong-Llm-Model"))
		requireAttempt(t, c.second.Only(t), c.second, f.lane, 1, prompt)
	} else {
		require.Equal(t, f.status, answer.Status, answer.Body)
		require.Empty(t, c.second.Requests(), "the second target was tried")
		if f.code != "" {
			require.Equal(t, f.code, answer.OpenAIError(t).Code)
		} else {
			require.Equal(t, harness.StatusBody(first.Name, f.status), answer.Body)
		}
	}
	require.Empty(t, c.unasked.Requests())
}
