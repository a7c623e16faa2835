package envoy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	dataaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
)

// Attempt is an entry of [LogAttempts]: what became of one attempt.
type Attempt struct {
	RequestID string
	// ProviderID is the ID that the provider gave the attempt; see [UpstreamIDHeader].
	ProviderID string
	// Instance, Plan and Probes are the headers of those names. Number counts the
	// attempts of a request from 1: the attempt was for Plan[Number-1].
	Instance string
	Plan     []string
	Probes   string
	Number   int

	// Cluster is the cluster that Envoy chose; "" if there was none.
	Cluster string

	// Answered reports that the head of the provider's answer arrived. Status is the
	// provider's then, else that of Envoy's own answer.
	Answered bool
	Status   int
	// Class is the kind of failure; "" for none.
	Class Class
	// Malformed reports, of ClassProtocol, that what arrived is certainly no valid answer.
	// Without it, the connection may also have ended inside the head.
	Malformed bool
	// HeldBack reports that so much of the answer has arrived (HoldsBack) that it may be the
	// client that kept Envoy from reading the rest.
	HeldBack bool
	// Flags are Envoy's response flags in their short form, such as UF.
	Flags []string
	// Unsent reports that nothing was sent, for a reason that is not the target's: no
	// route, no cluster, a full circuit breaker of Envoy's, or no rewrite.
	Unsent bool
	// Stale reports that the attempt failed because its connection, which an earlier
	// request had used, ended. It may be made once more, with the same Number.
	Stale bool
	// Gone reports that the downstream side, in the end the client, disconnected.
	Gone bool
	// Transport is the kind of connection failure: tls, refused, timeout or other;
	// "" for none.
	Transport string
	// RetryAfter and Date are the answer's headers of these names, unparsed.
	RetryAfter, Date string
	// Head is the time until the answer began, Duration that until it ended; 0 if
	// unknown.
	Head, Duration time.Duration
	// Start is when the attempt began.
	Start time.Time
	// Ended is false in the periodic entries of an attempt that is still in flight.
	Ended bool
}

// Target is the ID of the attempt's target.
func (a Attempt) Target() string { return a.Plan[a.Number-1] }

// ReadAttempt reads an entry of [LogAttempts]. An entry without a plan, or with an
// attempt number outside of it, is an error.
func ReadAttempt(e *dataaccesslogv3.HTTPAccessLogEntry) (Attempt, error) {
	c, r := e.GetCommonProperties(), e.GetResponse()
	fields := c.GetMetadata().GetFilterMetadata()[MetadataNamespace].GetFields()
	flags := flagsOf(c.GetResponseFlags())
	repeat := r.GetResponseHeaders()[HeaderRepeat]
	a := Attempt{
		RequestID:  e.GetRequest().GetRequestId(),
		ProviderID: r.GetResponseHeaders()[UpstreamIDHeader],
		Instance:   fields[KeyInstance].GetStringValue(),
		Probes:     fields[KeyProbes].GetStringValue(),
		Plan:       strings.Split(fields[KeyPlan].GetStringValue(), ","),
		Cluster:    c.GetUpstreamCluster(),
		Answered:   c.GetTimeToFirstUpstreamRxByte() != nil,
		Status:     int(r.GetResponseCode().GetValue()),
		Class:      classOf(flags, r.GetResponseCodeDetails()),
		HeldBack:   c.GetDownstreamWireBytesSent() >= HoldsBack,
		Flags:      flags,
		Stale:      repeat != "" && repeat != string(ClassAbsent),
		Gone:       hasFlag(flags, "DC", "DR"),
		Transport:  transportOf(c.GetUpstreamTransportFailureReason()),
		RetryAfter: r.GetResponseHeaders()["retry-after"],
		Date:       r.GetResponseHeaders()["date"],
		Head:       c.GetTimeToFirstUpstreamRxByte().AsDuration(),
		Duration:   c.GetDuration().AsDuration(),
		Ended:      c.GetAccessLogType() != dataaccesslogv3.AccessLogType_DownstreamPeriodic,
	}
	if start := c.GetStartTime(); start != nil {
		a.Start = start.AsTime()
	}
	if a.Class == ClassConnectTimeout {
		a.Transport = "timeout" // Envoy gives no transport failure reason
	}
	a.readMalformed(e)
	a.Unsent = !a.Answered && !a.Gone && (a.Class == "" || hasFlag(flags, "NC", "NR", "UO"))
	number, err := strconv.Atoi(fields[KeyAttempt].GetStringValue())
	switch {
	case a.Instance == "" || a.Plan[0] == "":
		return a, errors.New("read access log: attempt without a plan")
	case err != nil || number < 1 || number > len(a.Plan):
		return a, fmt.Errorf("read access log: attempt %d of %d", number, len(a.Plan))
	}
	a.Number = number
	return a, nil
}

// readMalformed finds out what of an answer that is not valid HTTP is known. Envoy counts
// the bytes of a head when it has it whole, and counts no byte of an HTTP/2 answer that
// ends the connection.
func (a *Attempt) readMalformed(e *dataaccesslogv3.HTTPAccessLogEntry) {
	r, received := e.GetResponse(), e.GetCommonProperties().GetUpstreamWireBytesReceived()
	switch {
	case a.Class == ClassProtocol && !a.Answered:
		a.Malformed = received == 0 || r.GetUpstreamHeaderBytesReceived() > 0
	case a.Answered && a.Ended && r.GetResponseCodeDetails() == "": // see OddStatus
		a.Answered, a.Class, a.Malformed = false, ClassProtocol, true
	case !a.Answered && a.Class == "" && received > 0 && r.GetResponseCode().GetValue() == 0 && !a.Gone:
		a.Class, a.Malformed = ClassProtocol, true // a body without a head, over HTTP/2 on Envoy 1.36
	}
}
