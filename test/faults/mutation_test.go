package faults_test

import (
	"net/http"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

func sets(name, value string) func(*extprocv3.HeaderMutation) {
	return func(m *extprocv3.HeaderMutation) {
		m.SetHeaders = append(m.SetHeaders, &corev3.HeaderValueOption{
			Header:       &corev3.HeaderValue{Key: name, RawValue: []byte(value)},
			AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
		})
	}
}

func removes(name string) func(*extprocv3.HeaderMutation) {
	return func(m *extprocv3.HeaderMutation) { m.RemoveHeaders = append(m.RemoveHeaders, name) }
}

// TestFault09RefusedMutations: semlb itself needs the authority and four of Envoy's
// retry headers, so Envoy's rules let those pass. It sets nothing else, so something
// between it and Envoy does here.
func TestFault09RefusedMutations(t *testing.T) {
	r := begin(t, "answers of semlb that remove host and pseudo headers, set x-envoy-* that semlb does not, and values with CR, LF, NUL; targets configured with such headers")
	var between *relay
	d := deploy(t, options{between: func(semlb string) string {
		between = startRelay(t, semlb)
		return between.address
	}})
	alert := alertSeries(t, "SemlbRejectedHeaderMutations")
	refused := func() int { return prometheusSum(t, "http://"+d.admin, alert) }
	counted := func() int { return int(d.metric("semlb_envoy_answers_total", "code", "internal_error")) }
	mutations := map[string]func(*extprocv3.HeaderMutation){
		"removes host": removes("host"), "removes :authority": removes(":authority"), "removes :path": removes(":path"), "removes :method": removes(":method"),
		"sets LF": sets("x-own", "a\nb"), "sets CR LF": sets("x-own", "a\r\nx-other: b"), "sets NUL": sets("x-own", "a\x00b"), "sets LF in :path": sets(":path", "/\n"),
		"sets x-envoy-internal":      sets("x-envoy-internal", "true"),
		"sets x-envoy-original-path": sets("x-envoy-original-path", "/x"), "sets x-envoy-upstream-rq-timeout-ms": sets("x-envoy-upstream-rq-timeout-ms", "1"),
	}
	d.survives(func() {
		for name, mutate := range mutations {
			d.requireGood()
			d.reset()
			before := refused()
			between.change.Store(&mutate)
			d.requireGrowth(1, counted, func() {
				d.requireRefused(d.post(chat(code)), http.StatusInternalServerError, "internal_error")
			})
			between.change.Store(nil)
			d.requireNothingSent()
			require.Greater(t, refused(), before, "%s: the series that the alert watches", name)
			require.Eventually(t, func() bool { return between.decisions.Load() == 0 }, waitLimit, waitStep, "%s: a stream is left", name)
		}
	})
	require.Equal(t, len(mutations), d.logs("level=WARN", "request answered by envoy", "status=500", "code=internal_error"))
	r.saw("%d mutations refused: 500 internal_error, nothing sent, no stream left, semlb counts and logs them, and the alert's own series in Envoy at %d", len(mutations), refused())

	for _, header := range []string{"host", ":authority", ":path", "x-envoy-max-retries", "x-envoy-original-path", "x-semlb-cluster", "content-length", "transfer-encoding", "connection"} {
		config := harness.Config(harness.Plugin{Targets: []harness.Target{{Model: "m", Auth: map[string]any{"header_name": header, "header_value": "x"}}}})
		got := harness.Command(t, nil, "explain", "--embeddings", "builtin", "--vectordb", "memory", "-c", harness.WriteConfig(t, config), "hello")
		require.Equal(t, 1, got.Code, "%s: %s", header, got.Stdout)
	}
	r.saw("targets cannot be configured to set them")
}
