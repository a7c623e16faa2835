package wire

import (
	"math"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// ValidHeaderName reports whether name is a header name, a token of RFC 9110. The
// empty string is not.
func ValidHeaderName(name string) bool { return httpguts.ValidHeaderFieldName(name) }

// ValidHeaderValue reports whether value has no control character but tabs, and so
// can be the value of a header (RFC 9110, section 5.5).
func ValidHeaderValue(value string) bool { return httpguts.ValidHeaderFieldValue(value) }

// maxWait is the longest time that RetryAfter returns.
const maxWait = time.Duration(math.MaxInt64)

// RetryAfter returns how long a client has to wait by a Retry-After header of a response that
// was sent now, which is [SentAt] by its server's clock (RFC 9110, section 10.2.3): its value
// is a number of seconds or an HTTP date. Some
// servers send fractions of a second, which are rounded up, or several headers, whose
// values are joined by commas and of which the longest wait counts. It returns 0 for a
// date in the past and for a value that is none of these. A wait that is too long for a
// [time.Duration] is the longest one, so callers cap what they follow.
func RetryAfter(value string, now time.Time) time.Duration {
	if at, err := http.ParseTime(textproto.TrimString(value)); err == nil {
		return max(at.Sub(now), 0)
	}
	var longest time.Duration
	for one := range strings.SplitSeq(value, ",") {
		longest = max(longest, delay(textproto.TrimString(one)))
	}
	return longest
}

// SentAt is when a server sent a response, by its own clock: the value of its Date header, or
// else now. A date in another header of the response is relative to it (RFC 9110, section
// 10.2.3), so that neither clock has to be right.
func SentAt(date string, now time.Time) time.Time {
	if at, err := http.ParseTime(textproto.TrimString(date)); err == nil {
		return at
	}
	return now
}

// delay reads a number of seconds; 0 if text is none.
func delay(text string) time.Duration {
	whole, fraction, hasFraction := strings.Cut(text, ".")
	if !isNumber(whole) || hasFraction && !isNumber(fraction) {
		return 0
	}
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds >= int64(maxWait/time.Second) {
		return maxWait
	}
	if strings.Trim(fraction, "0") != "" {
		seconds++
	}
	return time.Duration(seconds) * time.Second
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }
