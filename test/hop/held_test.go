package hop_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestNoStreamIsOpenWhileAModelAnswers has many requests wait for their second
// target, each after a question to both roles. Envoy then has no gRPC stream to semlb
// but those that stay: one for its configuration, and two of access logs for each of
// its two workers.
func TestNoStreamIsOpenWhileAModelAnswers(t *testing.T) {
	const waiting, lasting = 24, 1 + 2*2
	w := newWorld(t, unchanged, nil, "--concurrency", "2")
	require.Empty(t, w.send(harness.NewClient(t, harness.HTTP1), harness.Chat("warm up")))
	asked := make(chan struct{}, waiting)
	w.second.Do(func(x *harness.Exchange) {
		asked <- struct{}{}
		harness.Hang()(x)
	})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	ended := make(chan error, waiting)
	for i := range waiting {
		client := harness.NewClient(t, harness.Protocols()[i%2])
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL+harness.ChatPath, strings.NewReader(harness.Chat("hello")))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		go func() {
			_, err := harness.Send(client, r)
			ended <- err
		}()
	}
	for range waiting {
		<-asked
	}
	require.Eventually(t, func() bool { return w.stat("cluster.semlb_service.upstream_rq_active") <= lasting },
		time.Minute, 20*time.Millisecond, "streams are held")
	require.Equal(t, waiting, w.stat("http.semlb_outer.downstream_rq_active"), "all requests still wait")
	leave()
	for range waiting {
		require.ErrorIs(t, <-ended, context.Canceled)
	}
}
