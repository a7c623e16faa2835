package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
	"semlb/provider"
)

// maxPayload bounds each payload in the log; what is longer is cut.
const maxPayload = 1 << 20

// observation is an attempt as the observing role sees it go by.
type observation struct {
	*exchange
	instance *Instance
	target   *Target
	meter    provider.Meter
	streams  bool // the answer
	gzipped  bool
	status   int

	begun, first time.Time // of the attempt, and of the answer's first byte
	request      payload
	response     payload
}

// payload is a body for the log, up to its bound.
type payload struct {
	bytes.Buffer
	cut bool
}

func (p *payload) add(b []byte) {
	room := maxPayload - p.Len()
	p.cut = p.cut || len(b) > room
	p.Write(b[:min(len(b), room)])
}

// observe is the role that gets copies of attempts: it counts tokens and cost, and
// logs what a target's logging asks for. Envoy waits for nothing here.
func (p *Processor) observe(stream extprocv3.ExternalProcessor_ProcessServer) error {
	x, err := receiveHeaders(stream)
	if err != nil {
		return ended(err)
	}
	// A copy must not end the process, nor trouble Envoy.
	defer func() {
		if value := recover(); value != nil {
			p.panics.note(stream.Context(), x.requestID(), caught(value))
		}
	}()
	o := &observation{exchange: x, begun: time.Now()}
	if o.instance, o.target, err = planned(p.snapshot(), x); err != nil {
		p.metrics.ignored.WithLabelValues(logObservation).Inc()
		return nil
	}
	o.meter = o.target.Meter(provider.Answer{})
	for {
		m, err := stream.Recv()
		if err != nil {
			// However the stream ended: what has passed by is what there is.
			p.observed(context.WithoutCancel(stream.Context()), o)
			return ended(err)
		}
		if o.take(m) {
			p.observed(stream.Context(), o)
			return nil
		}
	}
}

// take notes a message and says whether it was the last of the answer.
func (o *observation) take(m *extprocv3.ProcessingRequest) bool {
	if h := m.GetResponseHeaders(); h != nil {
		answer := newExchange(h, nil)
		o.status, _ = strconv.Atoi(answer.header(":status")) // 0 says that it was none
		o.streams = strings.HasPrefix(answer.header("content-type"), "text/event-stream")
		words, _ := strconv.Atoi(o.header(envoy.HeaderWords))
		o.meter = o.target.Meter(provider.Answer{Streaming: o.streams, PromptWords: words})
		o.gzipped = answer.header("content-encoding") == "gzip"
		return h.GetEndOfStream()
	}
	if b := m.GetRequestBody(); b != nil {
		o.request.add(b.GetBody())
	}
	if b := m.GetResponseBody(); b != nil {
		if o.first.IsZero() {
			o.first = time.Now()
		}
		o.answered(b.GetBody())
		return b.GetEndOfStream()
	}
	return false
}

// answered takes bytes of the answer. Compressed ones are kept until its end.
func (o *observation) answered(b []byte) {
	if o.header(envoy.HeaderObserve) == envoy.ObserveAll || o.gzipped {
		o.response.add(b)
	}
	if !o.gzipped {
		_, _ = o.meter.Write(b) // never fails
	}
}

// unzip reads a compressed answer, up to the bound of a payload and eight times
// that of its content.
func (o *observation) unzip() {
	r, err := gzip.NewReader(&o.response)
	if err != nil {
		return
	}
	var plain bytes.Buffer
	_, _ = io.Copy(&plain, io.LimitReader(r, 8*maxPayload)) // what was read before an error counts
	_, _ = o.meter.Write(plain.Bytes())
	o.response = payload{cut: o.response.cut}
	o.response.add(plain.Bytes())
}

// observed counts and logs an attempt that has passed by. Only answers of status
// 2xx have a usage.
func (p *Processor) observed(ctx context.Context, o *observation) {
	if o.gzipped {
		o.unzip()
	}
	attrs := []any{slog.String("plugin_id", o.instance.ID), slog.String("provider_name", o.target.Provider)}
	var proxy []any
	if o.status/100 == 2 && o.target.Statistics {
		usage := o.meter.Usage()
		cost := usage.Cost(o.target.InputCost, o.target.OutputCost)
		p.metrics.usage(o.target, usage, cost)
		proxy = append(proxy, slog.Group("meta", append(attrs,
			slog.String("request_model", o.target.Model), slog.String("response_model", usage.Model),
			slog.Int64("llm_latency", time.Since(o.begun).Milliseconds()), slog.String("request_mode", requestMode(o.streams)))...))
		proxy = append(proxy, slog.Group("usage", o.usageAttrs(usage, cost)...))
	}
	if o.target.Payloads {
		proxy = append(proxy, slog.Group("payload",
			slog.String("request", o.target.Mask(o.request.String())), slog.String("response", o.response.String()),
			slog.Bool("cut", o.request.cut || o.response.cut)))
	}
	if len(proxy) > 0 {
		p.log.InfoContext(ctx, "answer", "request_id", o.requestID(), slog.Group("ai", slog.Group("proxy", proxy...)))
	}
}

// usageAttrs are the plugin's usage: times in milliseconds.
func (o *observation) usageAttrs(u provider.Usage, cost float64) []any {
	attrs := []any{
		slog.Int("prompt_tokens", u.PromptTokens), slog.Int("completion_tokens", u.CompletionTokens),
		slog.Int("total_tokens", u.TotalTokens), slog.Bool("estimated", u.Estimated),
	}
	if o.target.InputCost+o.target.OutputCost > 0 {
		attrs = append(attrs, slog.Float64("cost", cost))
	}
	if u.CompletionTokens > 0 {
		perToken := float64(time.Since(o.begun).Microseconds()) / 1000 / float64(u.CompletionTokens)
		attrs = append(attrs, slog.Float64("time_per_token", math.Round(perToken*1000)/1000))
	}
	if !o.first.IsZero() {
		attrs = append(attrs, slog.Int64("time_to_first_token", o.first.Sub(o.begun).Milliseconds()))
	}
	return attrs
}

// observing is the value of HeaderObserve for a target.
func (t *Target) observing() string {
	switch {
	case t.Payloads:
		return envoy.ObserveAll
	case t.Statistics:
		return envoy.ObserveAnswer
	default:
		return ""
	}
}
