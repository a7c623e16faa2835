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

// RetryAfter returns how long a client has to wait, from now on, by a Retry-After header
// (RFC 9110, section 10.2.3): its value is a number of seconds or an HTTP date. It
// returns 0 for a date in the past and for a value that is neither. A wait that is too
// long for a [time.Duration] is the longest one, so callers cap what they follow.
func RetryAfter(value string, now time.Time) time.Duration {
	value = textproto.TrimString(value)
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxWait/time.Second) {
			return maxWait
		}
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
