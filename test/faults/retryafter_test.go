package faults_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

func TestFault41RetryAfterOutOfRange(t *testing.T) {
	const longest = 2 * time.Second
	r := begin(t, "target answers 429 with a Retry-After larger than any integer, a date in the year 9999, fractions, several, negative ones and none; --max-retry-after 2 s")
	w := start(t, options{flags: []string{"--max-retry-after", longest.String()}})
	w.survives(func() {
		for _, values := range [][]string{
			{"99999999999999999999999999"}, {"9223372036854775807.5"}, {"Fri, 31 Dec 9999 23:59:59 GMT"}, {"1", "soon", "86400"},
		} {
			w.reset()
			w.cook1.Do(harness.Status(429, http.Header{"Retry-After": values}))
			begin := time.Now()
			answer := w.post(chat(cooking))
			w.requireMovedOn(answer)
			w.awaitLog("msg=attempt", answer.Header.Get("X-Kong-Request-Id"), "retry_after=")
			w.cook1.Do(harness.OK())
			require.Eventually(t, func() bool { return w.servedBy(chat(cooking)) == cook1Model }, waitLimit, waitStep)
			require.GreaterOrEqual(t, time.Since(begin), longest-50*time.Millisecond, values)
		}
		for _, value := range []string{"-1", "-99999999999999999999", "soon", "1e9", "Sun, 06 Nov 1994 08:49:37 GMT"} {
			w.reset()
			w.cook1.Do(harness.Status(429, http.Header{"Retry-After": {value}}))
			answer := w.post(chat(cooking))
			w.requireMovedOn(answer)
			w.awaitLog("msg=attempt", answer.Header.Get("X-Kong-Request-Id"), "status=429")
			w.cook1.Do(harness.OK())
			require.Equal(t, cook1Model, w.servedBy(chat(cooking)), value)
		}
	})
	r.saw("capped at %s each; negative, unreadable and past ones are ignored", longest)
}
