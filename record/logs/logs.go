// Package logs writes the events of requests as log lines.
package logs

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"time"

	"semlb/record"
)

// Lines is a sink that writes one log line for each event that matters to an operator.
// It blocks while the handler does.
type Lines struct{ handler slog.Handler }

// New makes a sink that writes to the handler of log. Which levels the handler has
// enabled is read once for every event, and whether it wants attempts at all when the
// recorder is made.
func New(log *slog.Logger) *Lines { return &Lines{handler: log.Handler()} }

// levels are the most that events of a kind are logged at.
var levels = map[record.Kind]slog.Level{
	record.KindDecided:   slog.LevelWarn,
	record.KindAnswered:  slog.LevelError,
	record.KindAttempted: slog.LevelDebug,
	record.KindObserved:  slog.LevelInfo,
	record.KindFinished:  slog.LevelWarn,
}

// Wants implements [record.Sink].
func (l *Lines) Wants(k record.Kind) bool {
	return l.handler.Enabled(context.Background(), levels[k])
}

// Consume implements [record.Sink].
func (l *Lines) Consume(e record.Event) {
	switch e := e.(type) {
	case *record.Decided:
		l.decided(e)
	case *record.Answered:
		l.answered(e)
	case *record.Attempted:
		l.attempted(e)
	case *record.Observed:
		l.observed(e)
	case *record.Finished:
		l.finished(e)
	}
}

// write writes a line with the time of its event. An error of the handler has nowhere
// to go: the log is what it would be reported in.
func (l *Lines) write(at time.Time, level slog.Level, message string, attrs ...slog.Attr) {
	if !l.handler.Enabled(context.Background(), level) {
		return
	}
	r := slog.NewRecord(at, level, message, 0)
	r.AddAttrs(attrs...)
	_ = l.handler.Handle(context.Background(), r)
}

func (l *Lines) decided(e *record.Decided) {
	level := slog.LevelInfo
	if e.Impaired {
		level = slog.LevelWarn
	}
	plan := []any{slog.String("reason", e.Reason), slog.Any("targets", e.Targets)}
	if len(e.Unavailable) > 0 {
		plan = append(plan, slog.Any("out", e.Unavailable))
	}
	if len(e.Unfit) > 0 {
		plan = append(plan, slog.Any("unfit", e.Unfit))
	}
	if e.Probes != "" {
		plan = append(plan, slog.String("probes", e.Probes))
	}
	if len(e.Candidates) > 0 {
		plan = append(plan, slog.Float64("distance", math.Round(e.Candidates[0].Distance*1e4)/1e4))
	}
	if e.Threshold != nil {
		plan = append(plan, slog.Float64("threshold", *e.Threshold))
	}
	if e.Err != nil {
		plan = append(plan, slog.String("error", e.Err.Error()))
	}
	l.write(e.Time, level, "routed", slog.String("request_id", e.ID),
		slog.String("instance", e.Instance), slog.Any("models", e.Models), slog.Group("plan", plan...))
}

func (l *Lines) answered(e *record.Answered) {
	switch e.Cause {
	case record.Configured:
		return
	case record.ByFault:
		l.write(e.Time, slog.LevelError, e.Doing, slog.String("request_id", e.ID), slog.Any("error", e.Err))
	case record.ByLoad:
		l.write(e.Time, slog.LevelWarn, "refused", refusal(e)...)
	default:
		l.write(e.Time, slog.LevelInfo, "refused", refusal(e)...)
	}
}

func refusal(e *record.Answered) []slog.Attr {
	return []slog.Attr{slog.String("request_id", e.ID), slog.String("code", e.Code), slog.Int("status", e.Status)}
}

// providerID is the key of a provider's own ID, for its support.
const providerID = "provider_request_id"

func (l *Lines) attempted(e *record.Attempted) {
	attrs := []slog.Attr{
		slog.String("request_id", e.ID), slog.String("instance", e.Instance),
		slog.String("target", e.Target.ID), slog.String("model", e.Target.Name),
		slog.Int("attempt", e.Number), slog.String("result", e.Result),
	}
	if e.ProviderID != "" {
		attrs = append(attrs, slog.String(providerID, e.ProviderID))
	}
	if e.Cluster != "" {
		attrs = append(attrs, slog.String("cluster", e.Cluster))
	}
	if e.Status != 0 {
		attrs = append(attrs, slog.Int("status", e.Status))
	}
	if e.Flags != "" {
		attrs = append(attrs, slog.String("flags", e.Flags))
	}
	if e.Transport != "" {
		attrs = append(attrs, slog.String("transport", e.Transport))
	}
	if e.RetryAfter > 0 {
		attrs = append(attrs, slog.Duration("retry_after", e.RetryAfter))
	}
	if e.Probe {
		attrs = append(attrs, slog.Bool("probe", true))
	}
	l.write(e.Time, slog.LevelDebug, "attempt", append(attrs, slog.Duration("head", e.Head), slog.Duration("duration", e.Duration))...)
}

func (l *Lines) finished(e *record.Finished) {
	if e.EnvoyCode != "" {
		level := slog.LevelInfo
		if e.Status >= http.StatusInternalServerError {
			level = slog.LevelWarn
		}
		l.write(e.Time, level, "request answered by envoy", slog.String("request_id", e.ID),
			slog.Int("status", e.Status), slog.String("code", e.EnvoyCode), slog.Duration("duration", e.Duration))
	}
	if e.Instance == "" {
		return // there was no plan to speak of
	}
	attrs := []slog.Attr{
		slog.String("request_id", e.ID), slog.Int("status", e.Status),
		slog.Int("attempts", e.Tries), slog.Duration("duration", e.Duration),
	}
	if e.ProviderID != "" {
		attrs = append(attrs, slog.String(providerID, e.ProviderID))
	}
	if e.ClientGone {
		attrs = append(attrs, slog.Bool("client_gone", true))
	}
	if e.Cut {
		attrs = append(attrs, slog.Bool("cut", true))
	}
	l.write(e.Time, slog.LevelInfo, "request", append(attrs, triedTargets(e))...)
}
