package logs

import (
	"log/slog"
	"math"

	"semlb/record"
)

// The group ai.proxy is the log object of Kong's AI plugins: meta and usage where the
// target has log_statistics, payload where it has log_payloads, and tried_targets.
// Times are in milliseconds.

// aiProxy is that group.
func aiProxy(fields ...any) slog.Attr {
	return slog.Group("ai", slog.Group("proxy", fields...))
}

// triedTargets is the plugin's log object for a request that has ended.
func triedTargets(e *record.Finished) slog.Attr {
	var fields []any
	if t := e.Last; t != nil {
		fields = append(fields, slog.Group("meta",
			slog.String("plugin_id", e.Instance),
			slog.String("provider_name", t.Provider),
			slog.String("response_model", t.Model),
			slog.Int64("llm_latency", e.Upstream.Milliseconds()),
			slog.String("request_mode", requestMode(e.Stream)),
		))
	}
	return aiProxy(append(fields, slog.Any("tried_targets", e.Attempts))...)
}

func (l *Lines) observed(e *record.Observed) {
	var fields []any
	if u := e.Usage; u != nil {
		fields = append(fields,
			slog.Group("meta",
				slog.String("plugin_id", e.Instance), slog.String("provider_name", e.Target.Provider),
				slog.String("request_model", e.Target.Model), slog.String("response_model", u.Model),
				slog.Int64("llm_latency", e.Latency.Milliseconds()), slog.String("request_mode", requestMode(e.Stream))),
			slog.Group("usage", usage(e)...))
	}
	if p := e.Payload; p != nil {
		fields = append(fields, slog.Group("payload",
			slog.String("request", p.Request), slog.String("response", p.Response), slog.Bool("cut", p.Cut)))
	}
	attrs := []slog.Attr{slog.String("request_id", e.ID)}
	if e.Unread != "" {
		attrs = append(attrs, slog.String("unread", e.Unread))
	}
	l.write(e.Time, slog.LevelInfo, "answer", append(attrs, aiProxy(fields...))...)
}

func usage(e *record.Observed) []any {
	u := e.Usage
	fields := []any{
		slog.Int("prompt_tokens", u.Prompt), slog.Int("completion_tokens", u.Completion),
		slog.Int("total_tokens", u.Total), slog.Bool("estimated", u.Estimated),
	}
	if u.Priced {
		fields = append(fields, slog.Float64("cost", u.Cost))
	}
	if u.Completion > 0 {
		perToken := float64(e.Latency.Microseconds()) / 1000 / float64(u.Completion)
		fields = append(fields, slog.Float64("time_per_token", math.Round(perToken*1000)/1000))
	}
	if e.FirstByte > 0 {
		fields = append(fields, slog.Int64("time_to_first_token", e.FirstByte.Milliseconds()))
	}
	return fields
}

func requestMode(stream bool) string {
	if stream {
		return "stream"
	}
	return "oneshot"
}
