package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"time"

	dataaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"google.golang.org/grpc"

	"semlb/envoy"
	"semlb/record"
	"semlb/router"
)

// AccessLogService receives the outcomes of attempts and requests, and passes them on to
// routers and the recorder.
//
// Entries of one request are not matched with each other, because they may reach
// different replicas: the entry of an attempt names its target, and the entry of a
// request has its whole plan and the number of attempts. So the service keeps no state,
// whatever Envoy sends. Envoy does not wait for this service: entries that it cannot
// send are lost.
type AccessLogService struct {
	accesslogv3.UnimplementedAccessLogServiceServer

	snapshot func() *Snapshot
	recorder *record.Recorder
	log      *slog.Logger
	metrics  *Metrics
	panics   panics
	now      func() time.Time
	// stopping is closed when streams are to end.
	stopping chan struct{}
}

// NewAccessLogService makes an access log service.
func NewAccessLogService(o Options) *AccessLogService {
	return &AccessLogService{
		now: o.clock(), snapshot: o.Snapshot, recorder: o.Recorder, log: o.Log, metrics: o.Metrics,
		panics: panics{log: o.Log, metrics: o.Metrics}, stopping: make(chan struct{}),
	}
}

// Register adds the service to a gRPC server.
func (s *AccessLogService) Register(g *grpc.Server) {
	accesslogv3.RegisterAccessLogServiceServer(g, s)
}

// StreamAccessLogs reads one log of one of Envoy's threads until Envoy ends it, or the
// server stops: Envoy itself would keep it open for ever, and hold up the stop.
func (s *AccessLogService) StreamAccessLogs(stream accesslogv3.AccessLogService_StreamAccessLogsServer) error {
	done := make(chan struct{})
	defer close(done)
	messages := receiveLogs(stream, done)
	name := ""
	for {
		var next received
		select {
		case next = <-messages:
		case <-s.stopping:
			return stream.SendAndClose(&accesslogv3.StreamAccessLogsResponse{})
		}
		if errors.Is(next.err, io.EOF) {
			return stream.SendAndClose(&accesslogv3.StreamAccessLogsResponse{})
		}
		if next.err != nil {
			return ended(next.err)
		}
		if id := next.message.GetIdentifier(); id != nil { // in the first message only
			name = id.GetLogName()
		}
		for _, e := range next.message.GetHttpLogs().GetLogEntry() {
			s.take(stream.Context(), name, e)
		}
	}
}

// received is a message of an access log's stream, or what ended the stream.
type received struct {
	message *accesslogv3.StreamAccessLogsMessage
	err     error
}

// receiveLogs receives until the stream ends, which it does at the latest when its
// handler returns and has closed done. It does not stop when the stream's context ends:
// if the connection breaks, the handler must still receive the error.
func receiveLogs(stream accesslogv3.AccessLogService_StreamAccessLogsServer, done <-chan struct{}) <-chan received {
	messages := make(chan received)
	go func() {
		for {
			m, err := stream.Recv()
			select {
			case messages <- received{message: m, err: err}:
			case <-done:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return messages
}

// knownLog keeps the label's set closed.
func knownLog(name string) string {
	if name == envoy.LogAttempts || name == envoy.LogRequests {
		return name
	}
	return logOther
}

// take takes in one entry. One that cannot be read is counted and otherwise ignored.
func (s *AccessLogService) take(ctx context.Context, name string, e *dataaccesslogv3.HTTPAccessLogEntry) {
	var err error
	if p := contain(func() { err = s.read(name, e) }); p != nil {
		s.panics.record(ctx, e.GetRequest().GetRequestId(), p)
		err = errors.New("handle access log: panic")
	}
	if err != nil {
		s.metrics.ignored.WithLabelValues(knownLog(name)).Inc()
		s.log.Debug("access log", "log", knownLog(name), "error", err)
	}
}

func (s *AccessLogService) read(name string, e *dataaccesslogv3.HTTPAccessLogEntry) error {
	switch name {
	case envoy.LogAttempts:
		return s.attempt(e)
	case envoy.LogRequests:
		return s.request(e)
	default:
		return errors.New("read access log: unexpected log name")
	}
}

// attempt reports an attempt to its router and records its end.
func (s *AccessLogService) attempt(e *dataaccesslogv3.HTTPAccessLogEntry) error {
	a, err := envoy.ReadAttempt(e)
	if err != nil {
		return err
	}
	instance, target, found := s.snapshot().target(a.Instance, a.Target())
	if !found {
		return errors.New("find target of access log: it is not configured")
	}
	now := s.now()
	outcome := outcomeOf(a, now)
	if !a.Ended {
		// Only whether the answer has begun is known yet, which decides a probe. Envoy
		// reports every attempt of a plan with probes so.
		if outcome.Phase = router.Started; a.Answered && outcome.Probe != 0 {
			instance.Router.Report(outcome)
		}
		return nil
	}
	if outcome.Result != router.Stale { // it says nothing about the target
		instance.Router.Report(outcome)
	}
	s.recorder.Record(attempted(a, instance, target, outcome, now))
	return nil
}

// request records a request that has ended, and releases the probes of targets that it
// did not reach.
func (s *AccessLogService) request(e *dataaccesslogv3.HTTPAccessLogEntry) error {
	f, err := envoy.ReadFinished(e)
	if err != nil {
		return err
	}
	snapshot := s.snapshot()
	if f.Answer != "" || f.Instance != "" {
		s.recorder.Record(finished(f, snapshot, s.now()))
	}
	for probe := range router.Probes(f.Probes) {
		owner := snapshot.owner(f.Instance, probe.Target)
		if owner != nil && !slices.Contains(f.Tried(), probe.Target) {
			owner.Router.ReleaseProbe(probe)
		}
	}
	if f.Instance != "" && snapshot.Instances[f.Instance] == nil {
		return errors.New("find instance of access log: it is not configured")
	}
	return nil // without an instance there was no plan; an answer of semlb is recorded already
}
