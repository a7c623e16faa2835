package server

import (
	"testing"
	"time"

	dataaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"semlb/envoy"
	"semlb/router"
)

func TestAnAttemptUnderWayIsReportedOnceItIsAnswered(t *testing.T) {
	l := newListener(t)
	underWay := func(e *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) {
		said["probes"] = "a1=1"
		e.CommonProperties.AccessLogType = dataaccesslogv3.AccessLogType_DownstreamPeriodic
	}
	l.send(envoy.LogAttempts, attempt(func(e *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) {
		underWay(e, said)
		e.CommonProperties.TimeToFirstUpstreamRxByte, e.Response.ResponseCode = nil, nil
	}))
	require.Empty(t, l.router.outcomes)
	l.send(envoy.LogAttempts, attempt(underWay))
	require.Equal(t, []router.Outcome{{Target: "a1", Result: router.Answered, Status: 200, Probe: 1, Phase: router.Started, Head: 20 * time.Millisecond, Duration: time.Second}}, l.router.outcomes)
	require.Zero(t, l.count("semlb_attempts_total", "model-a1", "openai", "answered", "2xx", "a1"), "it is counted when it ends")
}

// Envoy looks at every attempt of a plan that probes any of its targets.
func TestAnAttemptUnderWayThatIsNoProbeIsNotReported(t *testing.T) {
	l := newListener(t)
	underWay := attempt(func(e *dataaccesslogv3.HTTPAccessLogEntry, said map[string]string) {
		said["probes"] = "b2=1"
		e.CommonProperties.AccessLogType = dataaccesslogv3.AccessLogType_DownstreamPeriodic
		e.Response.ResponseCode = wrapperspb.UInt32(503)
	})
	l.send(envoy.LogAttempts, underWay, underWay, underWay)
	require.Empty(t, l.router.outcomes)
	require.Zero(t, l.ignored(envoy.LogAttempts))
}
