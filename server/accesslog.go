package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	dataaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"google.golang.org/grpc"

	"semlb/envoy"
	"semlb/router"
)

// Learner is the access log service: it tells routers, metrics and the log what
// became of attempts and requests.
//
// Entries of one request are not matched with each other, because they may reach
// different replicas: an attempt says what it was for, and a request's own entry has
// its whole plan and the number of attempts. So nothing is kept here, whatever Envoy
// sends. Envoy does not wait for this service: entries that it cannot send are lost.
type Learner struct {
	accesslogv3.UnimplementedAccessLogServiceServer

	snapshot func() *Snapshot
	log      *slog.Logger
	metrics  *Metrics
	panics   panics
	// stopping is closed when streams are to end.
	stopping chan struct{}
}

// NewLearner makes a learner for whatever snapshot returns.
func NewLearner(snapshot func() *Snapshot, log *slog.Logger, metrics *Metrics) *Learner {
	return &Learner{snapshot: snapshot, log: log, metrics: metrics, panics: panics{log: log, metrics: metrics}, stopping: make(chan struct{})}
}

// Register adds the service to a gRPC server.
func (l *Learner) Register(s *grpc.Server) { accesslogv3.RegisterAccessLogServiceServer(s, l) }

// StreamAccessLogs reads one log of one of Envoy's threads until Envoy ends it, or
// the server stops: by itself Envoy would keep it for ever, and hold up the stop.
func (l *Learner) StreamAccessLogs(stream accesslogv3.AccessLogService_StreamAccessLogsServer) error {
	done := make(chan struct{})
	defer close(done)
	messages := receiveLogs(stream, done)
	name := ""
	for {
		var next received
		select {
		case next = <-messages:
		case <-l.stopping:
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
			if err := l.guarded(stream.Context(), name, e); err != nil {
				l.metrics.ignored.WithLabelValues(knownLog(name)).Inc()
				l.log.Debug("access log", "log", knownLog(name), "error", err)
			}
		}
	}
}

// received is a message of an access log's stream, or what ended the stream.
type received struct {
	message *accesslogv3.StreamAccessLogsMessage
	err     error
}

// receiveLogs receives until the stream ends, which it does at the latest when its
// handler returns and has closed done. It does not look at the stream's context: that
// ends together with a connection that breaks, and the handler has to be told.
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

// guarded keeps a panic from ending the process.
func (l *Learner) guarded(ctx context.Context, name string, e *dataaccesslogv3.HTTPAccessLogEntry) (err error) {
	defer func() {
		if value := recover(); value != nil {
			l.panics.note(ctx, e.GetRequest().GetRequestId(), caught(value))
			err = errors.New("handle access log: panic")
		}
	}()
	switch name {
	case envoy.LogAttempts:
		return l.attempt(ctx, e)
	case envoy.LogRequests:
		return l.request(ctx, e)
	default:
		return errors.New("read access log: it is none of ours")
	}
}

// attempt learns from an attempt.
func (l *Learner) attempt(ctx context.Context, e *dataaccesslogv3.HTTPAccessLogEntry) error {
	a, err := envoy.ReadAttempt(e)
	if err != nil {
		return err
	}
	instance, target, err := l.find(a.Instance, a.Target())
	if err != nil {
		return err
	}
	outcome := outcomeOf(a, time.Now())
	if !a.Ended {
		// All that is known yet is whether the answer has begun, which is all that a probe
		// wants to know. Envoy reports every attempt of a plan with probes so.
		if outcome.UnderWay = true; a.Answered && outcome.Probe != 0 {
			instance.Router.Report(outcome)
		}
		return nil
	}
	instance.Router.Report(outcome)
	l.metrics.attempt(target, outcome, a)
	l.log.LogAttrs(ctx, slog.LevelDebug, "attempt", attemptAttrs(a, instance, target, outcome)...)
	return nil
}

func (l *Learner) find(instance, target string) (*Instance, *Target, error) {
	i := l.snapshot().Instances[instance]
	if i == nil {
		return nil, nil, errors.New("find instance of access log: it is not configured")
	}
	t := i.Targets[target]
	if t == nil {
		return nil, nil, errors.New("find target of access log: it is not configured")
	}
	return i, t, nil
}

// outcomeOf says what an attempt came to. A timeout is one even after the answer
// began: read_timeout bounds every silence. A connection that breaks after that is
// none, because the head of the answer was read.
func outcomeOf(a envoy.Attempt, now time.Time) router.Outcome {
	o := router.Outcome{Target: a.Target(), Probe: router.ProbeOf(a.Probes, a.Target())}
	switch {
	case a.Gone && !a.Answered:
		o.Result = router.Abandoned
	case a.Class == envoy.ClassTimeout:
		o.Result = router.TimedOut
	case a.Answered:
		o.Result, o.Status = router.Answered, a.Status
		o.RetryAfter = retryAfter(a.RetryAfter, now)
	case a.Unsent:
		o.Result = router.Unsent
	case a.Class == envoy.ClassConnectTimeout:
		o.Result = router.TimedOut
	case a.Class == envoy.ClassProtocol:
		o.Result = router.Invalid
	default:
		o.Result = router.Failed
	}
	return o
}

// request logs a request that has ended, and gives back the probes it did not come
// to.
func (l *Learner) request(ctx context.Context, e *dataaccesslogv3.HTTPAccessLogEntry) error {
	f, err := envoy.ReadFinished(e)
	if err != nil {
		return err
	}
	if f.Answer != "" {
		l.envoyAnswered(ctx, f)
	}
	if f.Instance == "" {
		return nil // there is no plan to tell of
	}
	instance := l.snapshot().Instances[f.Instance]
	if instance == nil {
		return errors.New("find instance of access log: it is not configured")
	}
	for _, id := range f.Untried() {
		if token := router.ProbeOf(f.Probes, id); token != 0 {
			instance.Router.Unreached(router.Probe{Target: id, Token: token})
		}
	}
	l.log.LogAttrs(ctx, slog.LevelInfo, "request", requestAttrs(f, instance)...)
	return nil
}

// envoyAnswered counts and logs a request that Envoy answered itself. What semlb
// answered without a plan was counted and logged when it did.
func (l *Learner) envoyAnswered(ctx context.Context, f envoy.Finished) {
	l.metrics.envoyAnswers.WithLabelValues(f.Answer).Inc()
	level := slog.LevelInfo
	if f.Status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	l.log.LogAttrs(ctx, level, "request answered by envoy",
		slog.String("request_id", f.RequestID), slog.Int("status", f.Status), slog.String("code", f.Answer), slog.Duration("duration", f.Duration))
}
