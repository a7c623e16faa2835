package envoy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	dataaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
)

// Attempt is what Envoy says of one attempt.
type Attempt struct {
	RequestID string
	// Instance, Plan and Probes are the headers of those names. Number counts the
	// attempts of a request from 1: the attempt was for Plan[Number-1].
	Instance string
	Plan     []string
	Probes   string
	Number   int

	// Cluster is the one that Envoy chose; "" if there was none.
	Cluster string

	// Answered says that the head of the provider's answer arrived; Status is its
	// status, else that of Envoy's own answer.
	Answered bool
	Status   int
	// Class is the kind of failure; "" for none.
	Class Class
	// Flags are Envoy's response flags in their short form, such as UF.
	Flags []string
	// Unsent says that nothing was sent, for a reason that is not the target's: no
	// route, no cluster, no room, or no rewrite.
	Unsent bool
	// Gone says that the other side, which is the client in the end, went away.
	Gone bool
	// Transport is the kind of failure to connect: tls, refused, timeout or other;
	// "" for none.
	Transport string
	// RetryAfter is the answer's header, as it came.
	RetryAfter string
	// Head is the time until the answer began, Duration the whole; 0 if unknown.
	Head, Duration time.Duration
	// Ended is false for an attempt that still goes on.
	Ended bool
}

// Target is the ID of the attempt's target.
func (a Attempt) Target() string { return a.Plan[a.Number-1] }

// ReadAttempt reads an entry of [LogAttempts]. An entry that is not of a planned
// attempt is an error.
func ReadAttempt(e *dataaccesslogv3.HTTPAccessLogEntry) (Attempt, error) {
	c, r := e.GetCommonProperties(), e.GetResponse()
	said := c.GetMetadata().GetFilterMetadata()[metadataSpace].GetFields()
	flags := flagsOf(c.GetResponseFlags())
	a := Attempt{
		RequestID:  e.GetRequest().GetRequestId(),
		Instance:   said[metadataInstance].GetStringValue(),
		Probes:     said[metadataProbes].GetStringValue(),
		Plan:       strings.Split(said[metadataPlan].GetStringValue(), ","),
		Cluster:    c.GetUpstreamCluster(),
		Answered:   c.GetTimeToFirstUpstreamRxByte() != nil,
		Status:     int(r.GetResponseCode().GetValue()),
		Class:      classOf(flags, r.GetResponseCodeDetails()),
		Flags:      flags,
		Gone:       hasFlag(flags, "DC", "DR"),
		Transport:  transportOf(c.GetUpstreamTransportFailureReason()),
		RetryAfter: r.GetResponseHeaders()["retry-after"],
		Head:       c.GetTimeToFirstUpstreamRxByte().AsDuration(),
		Duration:   c.GetDuration().AsDuration(),
		Ended:      c.GetAccessLogType() != dataaccesslogv3.AccessLogType_DownstreamPeriodic,
	}
	if a.Class == ClassConnectTimeout {
		a.Transport = "timeout" // Envoy has no words for it
	}
	a.Unsent = !a.Answered && !a.Gone && (a.Class == "" || hasFlag(flags, "NC", "NR", "UO"))
	number, err := strconv.Atoi(said[metadataAttempt].GetStringValue())
	switch {
	case a.Instance == "" || a.Plan[0] == "":
		return a, errors.New("read access log: an attempt without a plan")
	case err != nil || number < 1 || number > len(a.Plan):
		return a, fmt.Errorf("read access log: attempt %d of %d", number, len(a.Plan))
	}
	a.Number = number
	return a, nil
}

// Finished is what Envoy says of a request that has ended.
type Finished struct {
	RequestID string
	// Instance is "" for a request that was not planned.
	Instance string
	Plan     []string
	Probes   string
	// Attempts is how many targets of the plan were tried.
	Attempts int
	Status   int
	// Stream says that the answer was a stream of events.
	Stream bool
	// Gone says that the client went away before the end.
	Gone bool
	// Answer is the code of Envoy's own answer to a request that did not come to an
	// attempt, one of [OwnAnswers]; "" if the external processor answered.
	Answer string
	// Cut says that the answer broke off after it had begun.
	Cut      bool
	Duration time.Duration
	// Upstream is the time from the first byte sent to the last one received.
	Upstream time.Duration
}

// Tried are the IDs of the targets that were tried.
func (f Finished) Tried() []string { return f.Plan[:f.Attempts] }

// Untried are the IDs of the rest of the plan.
func (f Finished) Untried() []string { return f.Plan[f.Attempts:] }

// ReadFinished reads an entry of [LogRequests].
func ReadFinished(e *dataaccesslogv3.HTTPAccessLogEntry) (Finished, error) {
	c, headers := e.GetCommonProperties(), e.GetRequest().GetRequestHeaders()
	flags, details := flagsOf(c.GetResponseFlags()), e.GetResponse().GetResponseCodeDetails()
	f := Finished{
		RequestID: e.GetRequest().GetRequestId(),
		Instance:  headers[HeaderInstance],
		Probes:    headers[HeaderProbes],
		Attempts:  int(c.GetUpstreamRequestAttemptCount()),
		Status:    int(e.GetResponse().GetResponseCode().GetValue()),
		Stream:    strings.HasPrefix(e.GetResponse().GetResponseHeaders()["content-type"], "text/event-stream"),
		Gone:      hasFlag(flags, "DC", "DR"),
		Duration:  c.GetDuration().AsDuration(),
		Upstream:  max(c.GetTimeToLastUpstreamRxByte().AsDuration()-c.GetTimeToFirstUpstreamTxByte().AsDuration(), 0),
	}
	if f.Attempts == 0 {
		f.Answer = ownAnswer(flags, details, f.Status)
	}
	f.Cut = f.Status < 400 && classOf(flags, details) != ""
	if plan := headers[HeaderPlan]; plan != "" {
		f.Plan = strings.Split(plan, ",")
	}
	if f.Attempts > len(f.Plan) {
		return f, fmt.Errorf("read access log: %d attempts of %d", f.Attempts, len(f.Plan))
	}
	return f, nil
}

// flagsOf are the flags that say something here, in their short form.
func flagsOf(f *dataaccesslogv3.ResponseFlags) []string {
	var short []string
	for _, flag := range []struct {
		set  bool
		name string
	}{
		{f.GetUpstreamConnectionFailure(), "UF"},
		{f.GetNoHealthyUpstream(), "UH"},
		{f.GetNoClusterFound(), "NC"},
		{f.GetNoRouteFound(), "NR"},
		{f.GetUpstreamOverflow(), "UO"},
		{f.GetDnsResolutionFailure(), "DF"},
		{f.GetUpstreamRequestTimeout(), "UT"},
		{f.GetStreamIdleTimeout(), "SI"},
		{f.GetDurationTimeout(), "DT"},
		{f.GetUpstreamProtocolError(), "UPE"},
		{f.GetUpstreamConnectionTermination(), "UC"},
		{f.GetUpstreamRemoteReset(), "UR"},
		{f.GetLocalReset(), "LR"},
		{f.GetUpstreamRetryLimitExceeded(), "URX"},
		{f.GetDownstreamConnectionTermination(), "DC"},
		{f.GetDownstreamRemoteReset(), "DR"},
	} {
		if flag.set {
			short = append(short, flag.name)
		}
	}
	return short
}

// classOf is the first class that one of flags belongs to, with its details.
func classOf(flags []string, details string) Class {
	for _, f := range failures() {
		if f.matches(flags, details) {
			return f.class
		}
	}
	return ""
}

func hasFlag(flags []string, wanted ...string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return slices.Contains(wanted, f) })
}

// transportOf puts Envoy's words for a failure to connect into a closed set.
func transportOf(reason string) string {
	lower := strings.ToLower(reason)
	for _, kind := range []struct{ text, name string }{
		{"tls", "tls"}, {"ssl", "tls"}, {"refused", "refused"}, {"timeout", "timeout"}, {"timed_out", "timeout"},
	} {
		if strings.Contains(lower, kind.text) {
			return kind.name
		}
	}
	if reason != "" {
		return "other"
	}
	return ""
}
