package server

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"semlb/envoy"
	"semlb/router"
)

// attemptAttrs is the log line of an attempt.
func attemptAttrs(a envoy.Attempt, i *Instance, t *Target, o router.Outcome) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("request_id", a.RequestID), slog.String("instance", i.ID),
		slog.String("target", a.Target()), slog.String("model", t.Name()),
		slog.Int("attempt", a.Number), slog.String("result", string(o.Result)),
	}
	if a.Cluster != "" {
		attrs = append(attrs, slog.String("cluster", a.Cluster))
	}
	if o.Status != 0 {
		attrs = append(attrs, slog.Int("status", o.Status))
	}
	if len(a.Flags) > 0 {
		attrs = append(attrs, slog.String("flags", strings.Join(a.Flags, ",")))
	}
	if a.Transport != "" {
		attrs = append(attrs, slog.String("transport", a.Transport))
	}
	if o.RetryAfter > 0 {
		attrs = append(attrs, slog.Duration("retry_after", o.RetryAfter))
	}
	if o.Probe != 0 {
		attrs = append(attrs, slog.Bool("probe", true))
	}
	return append(attrs, slog.Duration("head", a.Head), slog.Duration("duration", a.Duration))
}

// tried is a target in the log line of a request.
type tried struct {
	Provider  string `json:"provider"`
	Model     string `json:"model"`
	RouteType string `json:"route_type"`
	Scheme    string `json:"upstream_scheme"`
	Host      string `json:"host"`
	Port      int    `json:"port"`
}

func triedTargets(f envoy.Finished, i *Instance) []tried {
	all := make([]tried, 0, f.Attempts)
	for _, id := range f.Tried() {
		t := i.Targets[id]
		if t == nil {
			continue
		}
		at := t.Endpoint()
		all = append(all, tried{
			Provider: t.Provider, Model: t.Model, RouteType: i.RouteType,
			Scheme: at.Scheme, Host: at.Host, Port: at.Port,
		})
	}
	return all
}

// requestAttrs is the log line of a request. Its group ai.proxy is the plugin's log
// object; meta is there if the target that was tried last has log_statistics.
func requestAttrs(f envoy.Finished, i *Instance) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("request_id", f.RequestID), slog.Int("status", f.Status),
		slog.Int("attempts", f.Attempts), slog.Duration("duration", f.Duration),
	}
	if f.Gone {
		attrs = append(attrs, slog.Bool("client_gone", true))
	}
	if f.Cut {
		attrs = append(attrs, slog.Bool("cut", true))
	}
	var proxy []any
	if f.Attempts > 0 {
		if t := i.Targets[f.Tried()[f.Attempts-1]]; t != nil && t.Statistics {
			proxy = append(proxy, slog.Group("meta",
				slog.String("plugin_id", i.ID),
				slog.String("provider_name", t.Provider),
				slog.String("response_model", t.Model),
				slog.Int64("llm_latency", f.Upstream.Milliseconds()),
				slog.String("request_mode", requestMode(f.Stream)),
			))
		}
	}
	proxy = append(proxy, slog.Any("tried_targets", triedTargets(f, i)))
	return append(attrs, slog.Group("ai", slog.Group("proxy", proxy...)))
}

func requestMode(stream bool) string {
	if stream {
		return "stream"
	}
	return "oneshot"
}

// retryAfter reads a Retry-After header: seconds, or a date. What is neither, or in
// the past, is 0.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
