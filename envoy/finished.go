package envoy

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	dataaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
)

// Finished is an entry of [LogRequests]: what became of a request.
type Finished struct {
	RequestID string
	// ProviderID is the ID that the provider gave the attempt that answered; see
	// [UpstreamIDHeader].
	ProviderID string
	// Instance, Plan and Probes are the headers of those names, or what a [Replan] says
	// instead; Instance is "" for a request that was not planned.
	Instance string
	Plan     []string
	Probes   string
	// Attempts is how many targets of the plan were tried; an attempt that was made once
	// more counts once.
	Attempts int
	Status   int
	// Stream reports that the answer was a stream of server-sent events.
	Stream bool
	// Gone reports that the client disconnected before the answer's end.
	Gone bool
	// Answer is the code of Envoy's own answer to a request that did not reach its
	// first attempt, one of [OwnAnswers]; "" if the external processor answered.
	Answer string
	// Cut reports that the answer broke off after it had begun.
	Cut      bool
	Duration time.Duration
	// Upstream is the time from the first byte sent to the last one received.
	Upstream time.Duration
}

// Tried are the IDs of the targets that were tried.
func (f Finished) Tried() []string { return f.Plan[:f.Attempts] }

// ReadFinished reads an entry of [LogRequests]. An entry with more attempts than its
// plan has targets is an error.
func ReadFinished(e *dataaccesslogv3.HTTPAccessLogEntry) (Finished, error) {
	c, headers := e.GetCommonProperties(), e.GetRequest().GetRequestHeaders()
	answer := e.GetResponse().GetResponseHeaders()
	fields := c.GetMetadata().GetFilterMetadata()[MetadataNamespace].GetFields()
	flags, details := flagsOf(c.GetResponseFlags()), e.GetResponse().GetResponseCodeDetails()
	f := Finished{
		RequestID:  e.GetRequest().GetRequestId(),
		ProviderID: answer[UpstreamIDHeader],
		Instance:   cmp.Or(fields[KeyInstance].GetStringValue(), headers[HeaderInstance]),
		Probes:     headers[HeaderProbes],
		Attempts:   int(c.GetUpstreamRequestAttemptCount()) - int(fields[KeyRepeats].GetNumberValue()),
		Status:     int(e.GetResponse().GetResponseCode().GetValue()),
		Stream:     strings.HasPrefix(answer["content-type"], "text/event-stream"),
		Gone:       hasFlag(flags, "DC", "DR"),
		Duration:   c.GetDuration().AsDuration(),
		Upstream:   max(c.GetTimeToLastUpstreamRxByte().AsDuration()-c.GetTimeToFirstUpstreamTxByte().AsDuration(), 0),
	}
	if f.Attempts == 0 {
		f.Answer = ownAnswer(flags, details, f.Status)
	}
	f.Cut = f.Status < 400 && classOf(flags, details) != ""
	if plan := cmp.Or(fields[KeyPlan].GetStringValue(), headers[HeaderPlan]); plan != "" {
		f.Plan = strings.Split(plan, ",")
	}
	if f.Attempts > len(f.Plan) {
		return f, fmt.Errorf("read access log: %d attempts of %d", f.Attempts, len(f.Plan))
	}
	return f, nil
}
