package server

import (
	"strings"
	"time"

	"semlb/envoy"
	"semlb/record"
	"semlb/router"
	"semlb/wire"
)

// outcomeOf is the outcome of an attempt. A timeout is one even after the answer began,
// unless the client may have held the answer back. A connection that breaks after that is
// none, because the head of the answer was read.
func outcomeOf(a envoy.Attempt, now time.Time) router.Outcome {
	o := router.Outcome{
		Target: a.Target(), Probe: router.ProbeOf(a.Probes, a.Target()),
		Start: a.Start, Head: a.Head, Duration: a.Duration,
	}
	switch {
	case a.Gone && !a.Answered:
		o.Result = router.Abandoned
	case a.Stale:
		o.Result = router.Stale
	case a.Class == envoy.ClassTimeout && (!a.Answered || !a.HeldBack):
		o.Result = router.TimedOut
	case a.Answered:
		o.Result, o.Status = router.Answered, a.Status
		o.RetryAfter = wire.RetryAfter(a.RetryAfter, wire.SentAt(a.Date, now))
	case a.Unsent:
		o.Result = router.Unsent
	case a.Class == envoy.ClassConnectTimeout:
		o.Result = router.TimedOut
	case a.Class == envoy.ClassProtocol && a.Malformed:
		o.Result = router.Invalid
	default:
		o.Result = router.Failed
	}
	return o
}

// attempted is the event of an attempt that has ended.
func attempted(a envoy.Attempt, i *Instance, t *Target, o router.Outcome, now time.Time) *record.Attempted {
	return &record.Attempted{
		Request: record.Request{ID: a.RequestID, Instance: i.ID, Time: now},
		Target:  t.Recorded(), ProviderID: providerID(a.ProviderID, a.RequestID), Number: a.Number,
		Result: string(o.Result), Status: o.Status, Cut: o.Result == router.Answered && a.Class != "",
		Cluster: a.Cluster, Flags: strings.Join(a.Flags, ","), Transport: a.Transport,
		RetryAfter: o.RetryAfter, Probe: o.Probe != 0,
		Start: o.Start, Head: o.Head, Duration: o.Duration,
	}
}

// maxProviderID is the longest ID of a provider's that is logged whole.
const maxProviderID = 128

// providerID is a provider's own ID, as far as a log line has room; "" if it returned ours.
func providerID(id, requestID string) string {
	if id == requestID {
		return ""
	}
	return strings.ToValidUTF8(id[:min(len(id), maxProviderID)], "?")
}

// finished is the event of a request that has ended. It has no attempts if the request's
// instance is not configured.
func finished(f envoy.Finished, s *Snapshot, now time.Time) *record.Finished {
	e := &record.Finished{
		Request: record.Request{ID: f.RequestID, Time: now}, ProviderID: providerID(f.ProviderID, f.RequestID),
		Status: f.Status, Tries: f.Attempts, EnvoyCode: f.Answer,
		ClientGone: f.Gone, Cut: f.Cut, Stream: f.Stream, Duration: f.Duration, Upstream: f.Upstream,
	}
	if s.Instances[f.Instance] == nil {
		return e
	}
	e.Instance = f.Instance
	e.Attempts = make([]record.Attempt, 0, f.Attempts)
	for n, id := range f.Tried() {
		owner := s.owner(f.Instance, id)
		if owner == nil {
			continue
		}
		t := owner.Targets[id]
		at := t.Endpoint()
		e.Attempts = append(e.Attempts, record.Attempt{
			Provider: t.Provider, Model: t.Model, RouteType: t.RouteType,
			Scheme: at.Scheme, Host: at.Host, Port: at.Port,
		})
		if n == f.Attempts-1 && t.Statistics {
			last := t.Recorded()
			e.Last = &last
		}
	}
	return e
}
