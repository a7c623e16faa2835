package server

import (
	"errors"
	"strconv"
	"strings"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
	"semlb/provider"
	"semlb/record"
	"semlb/router"
)

// observeDrain is how long the answers under way when the server stops are observed
// after its grace, so that their tokens and cost are counted.
const observeDrain = 10 * time.Second

// observer is the role that receives copies of attempts: it reads tokens and cost, and
// keeps payloads for the log if a target has log_payloads. Envoy does not wait for it, so
// it sends no responses. The meter's bounds and maxPayload bound what it keeps of one
// attempt, payloads what it keeps of all.
type observer struct {
	snapshot func() *Snapshot
	recorder *record.Recorder
	metrics  *Metrics
	panics   panics
	payloads *bodyBudget
	now      func() time.Time // for events
}

func (o *observer) handle(s stream) error {
	x, err := receiveHeaders(s)
	if err != nil {
		return ended(err)
	}
	if p := contain(func() { err = o.observe(s, x) }); p != nil {
		o.panics.record(s.Context(), x.id, p)
		return nil
	}
	return err
}

func (o *observer) observe(s stream, x *exchange) error {
	begun := time.Now()
	instance, target, found := o.find(x)
	switch {
	case !found && x.call.repeats():
		return errElsewhere
	case !found:
		o.metrics.ignored.WithLabelValues(logObservation).Inc()
		return nil
	}
	a := &observation{
		exchange: x, instance: instance, target: target, meter: target.Meter(provider.Answer{}), begun: begun,
		request: payload{budget: o.payloads}, response: payload{budget: o.payloads},
	}
	defer a.release()
	for {
		m, err := s.Recv()
		if err != nil { // what has passed is all there is
			o.record(a)
			return ended(err)
		}
		if a.take(m) {
			a.whole = true
			o.record(a)
			return nil
		}
	}
}

// find returns what an attempt is for.
func (o *observer) find(x *exchange) (*Instance, *Target, bool) {
	p, err := readPlan(x)
	if err != nil {
		return nil, nil, false
	}
	return o.snapshot().target(p.instance, p.target())
}

// record records an attempt that has passed, and reports its usage to the router.
func (o *observer) record(a *observation) {
	if len(a.encodings) > 0 {
		a.decode()
	}
	a.dropBinary()
	e := &record.Observed{
		Request: record.Request{ID: a.id, Instance: a.instance.ID, Time: o.now()},
		Target:  a.target.Recorded(), Stream: a.streams, Unread: a.unread, Latency: time.Since(a.begun),
	}
	if !a.first.IsZero() {
		e.FirstByte = a.first.Sub(a.begun)
	}
	if a.status/100 == 2 && a.target.Statistics { // other answers have no usage
		e.Usage = a.usage()
		a.instance.Router.Report(router.Outcome{
			Target: a.target.ID(), Phase: router.Metered, Result: router.Answered, Status: a.status,
			Start: a.begun, Head: e.FirstByte, Duration: e.Latency,
			PromptTokens: e.Usage.Prompt, CompletionTokens: e.Usage.Completion, Cost: e.Usage.Cost,
		})
	}
	if a.target.Payloads {
		e.Payload = &record.Payload{Cut: a.request.cut || a.response.cut}
		e.Payload.Request, e.Payload.Response = a.target.Mask(
			provider.Client{Query: a.query(), Header: a.lookup}, a.request.String(), a.response.String())
	}
	if e.Usage != nil || e.Payload != nil {
		o.recorder.Record(e)
	}
}

// observation is an attempt as the observing role sees it pass.
type observation struct {
	*exchange
	instance *Instance
	target   *Target
	meter    provider.Meter
	status   int

	streams   bool     // the answer
	whole     bool     // its end has passed
	encodings []string // in which the answer is
	unread    string   // why the answer could not be read; "" if it could

	begun, first time.Time // of the attempt, and of the answer's first byte
	request      payload
	response     payload
}

// release returns what the payloads have acquired.
func (o *observation) release() {
	o.request.release()
	o.response.release()
}

// take reads a message and reports whether it was the last of the answer.
func (o *observation) take(m *extprocv3.ProcessingRequest) bool {
	if h := m.GetResponseHeaders(); h != nil {
		answer := newExchange(h, nil)
		o.status, _ = strconv.Atoi(answer.header(":status")) // 0 if it is not a number
		o.streams = strings.HasPrefix(answer.header("content-type"), "text/event-stream")
		words, _ := strconv.Atoi(o.header(envoy.HeaderWords))
		o.meter = o.target.Meter(provider.Answer{Streaming: o.streams, PromptWords: words})
		o.encodings = encodingsOf(answer)
		return h.GetEndOfStream()
	}
	if b := m.GetRequestBody(); b != nil {
		o.request.add(b.GetBody())
	}
	if b := m.GetResponseBody(); b != nil {
		if o.first.IsZero() {
			o.first = time.Now()
		}
		o.takeAnswer(b.GetBody())
		return b.GetEndOfStream()
	}
	return false
}

// takeAnswer reads bytes of the answer. Encoded ones are kept until its end.
func (o *observation) takeAnswer(b []byte) {
	encoded := len(o.encodings) > 0
	if o.header(envoy.HeaderObserve) == envoy.ObserveAll || encoded {
		o.response.add(b)
	}
	if !encoded {
		_, _ = o.meter.Write(b) // never fails
	}
}

// decode reads an encoded answer, as far as its bytes were kept. The bytes themselves are
// no text, and are not logged.
func (o *observation) decode() {
	encoded := o.response
	plain, err := decode(o.encodings, &encoded)
	_, _ = o.meter.Write(plain) // never fails
	o.response = payload{cut: encoded.cut, budget: encoded.budget}
	encoded.release()
	o.response.add(plain)
	switch {
	case errors.Is(err, errUnknownEncoding):
		o.unread = unreadEncoding
	case encoded.cut || len(plain) == maxPlain:
		o.unread = unreadLength
	case err != nil && o.whole:
		o.unread = unreadInvalid
	}
}

// dropBinary leaves what is no text out of the log: some providers encode an answer and do
// not say so.
func (o *observation) dropBinary() {
	if !isText(o.response.Bytes()) {
		o.response.Reset()
		o.unread = unreadInvalid
	}
}

// usage is what the answer consumed.
func (o *observation) usage() *record.Usage {
	u := o.meter.Usage()
	return &record.Usage{
		Model: u.Model, Prompt: u.PromptTokens, Completion: u.CompletionTokens, Total: u.TotalTokens, Estimated: u.Estimated,
		Cost: u.Cost(o.target.InputCost, o.target.OutputCost), Priced: o.target.InputCost+o.target.OutputCost > 0,
	}
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
