package envoy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPolicyFollowsFailoverCriteria(t *testing.T) {
	for _, tt := range []struct {
		name     string
		criteria []string
		classes  []Class
		statuses []int
	}{
		{
			"the seed's",
			[]string{"error", "timeout", "http_429", "http_503", "non_idempotent"},
			[]Class{ClassConnect, ClassConnectTimeout, ClassProtocol, ClassReset, ClassTimeout},
			[]int{429, 503},
		},
		{"the defaults send nothing twice", []string{"error", "timeout"}, []Class{ClassConnect, ClassConnectTimeout}, nil},
		{"statuses need non_idempotent", []string{"http_429", "http_503"}, nil, nil},
		{"statuses only", []string{"http_503", "non_idempotent", "http_503"}, nil, []int{503}},
		{"timeout only", []string{"timeout", "non_idempotent"}, []Class{ClassConnectTimeout, ClassTimeout}, nil},
		{"invalid header only", []string{"invalid_header", "non_idempotent"}, []Class{ClassProtocol}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := NewPolicy(tt.criteria)
			require.Equal(t, tt.classes, p.Classes)
			require.Equal(t, tt.statuses, p.Statuses)
		})
	}
}

func TestPolicyIsDescribed(t *testing.T) {
	require.Equal(t, []string{
		"no connection", "no connection within connect_timeout", "a connection that ends before the answer",
		"an answer that is no HTTP or ends inside its head", "no answer within read_timeout", "429", "503",
	}, NewPolicy([]string{"error", "timeout", "http_503", "http_429", "non_idempotent"}).Describe())
	require.Equal(t, []string{"no connection"}, NewPolicy([]string{"error"}).Describe())
	require.Empty(t, Policy{}.Describe())
	require.Len(t, classWords, 5, "every class")
}

func TestPolicyHeaders(t *testing.T) {
	p := NewPolicy([]string{"error", "http_429", "http_503", "non_idempotent"})
	require.Equal(t, []Header{
		{HeaderRetry, "|connect|protocol|reset|"},
		{"x-envoy-max-retries", "5"}, // to two more targets, and MostRepeats times to each of the three
		{"x-envoy-retriable-header-names", HeaderRetry},
		{"x-envoy-retriable-status-codes", "429,503"},
		{"x-envoy-retry-on", "retriable-headers,retriable-status-codes"},
	}, p.Headers(3, false))
	require.Contains(t, p.Headers(1, false), Header{"x-envoy-max-retries", "1"})
	require.Contains(t, NewPolicy([]string{"error"}).Headers(3, false), Header{"x-envoy-max-retries", "2"}, "a reset does not move on")
	require.Equal(t, []Header{{HeaderRetry, "|"}}, Policy{}.Headers(1, false), "one attempt needs no retries")
	require.Equal(t, []Header{
		{HeaderRetry, "|absent|"},
		{"x-envoy-max-retries", "33"}, // to MostReplanned more targets, and once more to each
		{"x-envoy-retriable-header-names", HeaderRetry},
		{"x-envoy-retry-on", "retriable-headers"},
	}, Policy{}.Headers(1, true), "but for an Envoy with replicas")
}
