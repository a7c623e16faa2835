package envoy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Class is a kind of failure that Envoy itself reports, as opposed to a status
// that a provider answered.
type Class string

// The classes; [AttemptFailures] has the response flags of each.
const (
	// ClassConnect: no connection, so nothing was sent, or a provider that refused the
	// request unprocessed.
	ClassConnect Class = "connect"
	// ClassConnectTimeout: no connection within connect_timeout, so nothing was sent.
	ClassConnectTimeout Class = "connect-timeout"
	// ClassTimeout: no byte for longer than read_timeout.
	ClassTimeout Class = "timeout"
	// ClassProtocol: an answer that is not valid HTTP. Over HTTP/1 it may also be one that
	// broke off inside its head: Envoy reports both alike.
	ClassProtocol Class = "protocol"
	// ClassReset: the connection ended before the answer began.
	ClassReset Class = "reset"
	// ClassAbsent: Envoy does not have the attempt's cluster, so nothing was sent. It is no
	// failure of the provider, and none of a [Policy]: see [Policy.Headers].
	ClassAbsent Class = "absent"
)

// Policy decides which failures of an attempt move on to the next target. Make one
// with [NewPolicy]; the zero value permits none.
type Policy struct {
	// Classes are in alphabetical order.
	Classes []Class
	// Statuses are those of providers' answers, ascending.
	Statuses []int

	// Both as header values; see [Policy.Headers].
	classList, statusList string
}

// NewPolicy maps the values of the plugin's failover_criteria. Without non_idempotent,
// a request of which a byte may have been sent is not sent again: only connection
// failures move on, and no status does (nginx's rule for POST).
func NewPolicy(criteria []string) Policy {
	var p Policy
	repeatable := slices.Contains(criteria, "non_idempotent")
	for _, c := range criteria {
		switch {
		case c == "error":
			p.Classes = append(p.Classes, ClassConnect)
			if repeatable {
				p.Classes = append(p.Classes, ClassReset, ClassProtocol)
			}
		case c == "timeout":
			p.Classes = append(p.Classes, ClassConnectTimeout)
			if repeatable {
				p.Classes = append(p.Classes, ClassTimeout)
			}
		case c == "invalid_header" && repeatable:
			p.Classes = append(p.Classes, ClassProtocol)
		case repeatable:
			if status, ok := CriterionStatus(c); ok {
				p.Statuses = append(p.Statuses, status)
			}
		}
	}
	slices.Sort(p.Statuses)
	p.Statuses = slices.Compact(p.Statuses)
	slices.Sort(p.Classes)
	p.Classes = slices.Compact(p.Classes)
	p.classList, p.statusList = classList(p.Classes), statusList(p.Statuses)
	return p
}

// classWords describe the classes in the order of an attempt.
var classWords = []struct {
	class Class
	words string
}{
	{ClassConnect, "no connection"},
	{ClassConnectTimeout, "no connection within connect_timeout"},
	{ClassReset, "a connection that ends before the answer"},
	{ClassProtocol, "an answer that is no HTTP or ends inside its head"},
	{ClassTimeout, "no answer within read_timeout"},
}

// Describe returns what moves on, in words and as statuses.
func (p Policy) Describe() []string {
	var all []string
	for _, c := range classWords {
		if slices.Contains(p.Classes, c.class) {
			all = append(all, c.words)
		}
	}
	for _, status := range p.Statuses {
		all = append(all, strconv.Itoa(status))
	}
	return all
}

// CriterionStatus returns the status of a failover criterion http_NNN; ok is false for
// the others.
func CriterionStatus(criterion string) (status int, ok bool) {
	code, ok := strings.CutPrefix(criterion, "http_")
	if !ok {
		return 0, false
	}
	status, err := strconv.Atoi(code)
	return status, err == nil
}

// noClass is the value of HeaderRetry that permits no class. It is not empty, so that
// the header is always there.
const noClass = "|"

// classList delimits each class on both sides, because Envoy looks for it as a part of
// the text.
func classList(classes []Class) string {
	list := noClass
	for _, c := range classes {
		list += string(c) + "|"
	}
	return list
}

func statusList(statuses []int) string {
	codes := make([]string, len(statuses))
	for i, s := range statuses {
		codes[i] = strconv.Itoa(s)
	}
	return strings.Join(codes, ",")
}

// Headers are those of a request whose plan has targets targets. They make Envoy's
// router filter retry as the policy permits: see its documentation of x-envoy-retry-on.
// With repeatAbsent an attempt of [ClassAbsent] is made once more, whatever the policy is:
// Envoy may be replacing the clusters of one replica of semlb by those of another. Then
// another replica may take over with a plan of its own, which has room for [MostReplanned]
// targets more.
func (p Policy) Headers(targets int, repeatAbsent bool) []Header {
	h := make([]Header, 1, planHeaders)
	h[0] = p.permitted(repeatAbsent)
	if repeatAbsent {
		targets += MostReplanned
	}
	retries := p.retries(targets, repeatAbsent)
	if retries < 1 {
		return h
	}
	h = append(h,
		Header{"x-envoy-max-retries", strconv.Itoa(retries)},
		Header{"x-envoy-retriable-header-names", HeaderRetry},
	)
	if p.statusList == "" {
		return append(h, Header{"x-envoy-retry-on", "retriable-headers"})
	}
	return append(h,
		Header{"x-envoy-retriable-status-codes", p.statusList},
		Header{"x-envoy-retry-on", "retriable-headers,retriable-status-codes"},
	)
}

// permitted is the header with the classes that move on.
func (p Policy) permitted(repeatAbsent bool) Header {
	h := Header{HeaderRetry, cmp.Or(p.classList, noClass)}
	if repeatAbsent {
		h.Value += string(ClassAbsent) + "|"
	}
	return h
}

// RepeatsAbsent reports whether a value of [HeaderRetry] is that of a request whose attempts
// of [ClassAbsent] are made once more.
func RepeatsAbsent(retry string) bool {
	return strings.Contains(retry, "|"+string(ClassAbsent)+"|")
}

// MostReplanned is how many targets a plan has at most after the attempt of the replica that
// made it in the place of another one; see [Replan].
const MostReplanned = 16

// MostRepeats is how often one attempt is made again because its connection had ended, and
// how often because Envoy did not have its cluster (HeaderRepeat). Once is enough, since the
// repetition gets a new connection, or one of the clusters that Envoy has then.
const MostRepeats = 1

// retries is how often a request whose plan has targets targets may be sent again: to the
// next target, and where repetitions are permitted, again to each of them.
func (p Policy) retries(targets int, repeatAbsent bool) int {
	each := 1
	if repeatAbsent {
		each += MostRepeats
	}
	if slices.Contains(p.Classes, ClassReset) {
		each += MostRepeats
	}
	return each*targets - 1
}

// planHeaders is room for the five headers of a policy and for what the caller adds:
// plan, instance and rewrite.
const planHeaders = 16

// Header is a header of a request or a response.
type Header struct{ Name, Value string }
