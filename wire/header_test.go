package wire_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/wire"
)

func TestValidHeaderName(t *testing.T) {
	for _, name := range []string{"a", "X-Api-Key", "!#$%&'*+-.^_`|~09azAZ"} {
		require.True(t, wire.ValidHeaderName(name), name)
	}
	for _, name := range []string{"", "a b", "a:", "a\n", "a\x00", "a\x7f", "(a)", `"a"`, "a/b", "a{}", "ä", "\xff"} {
		require.False(t, wire.ValidHeaderName(name), name)
	}
}

func TestValidHeaderValue(t *testing.T) {
	for _, value := range []string{"", "Bearer sk-1", "a\tb", "ä", "\x80"} {
		require.True(t, wire.ValidHeaderValue(value), value)
	}
	for _, value := range []string{"a\nb", "a\r", "\x00", "\x7f", "\x1b[0m"} {
		require.False(t, wire.ValidHeaderValue(value), value)
	}
}

func TestADateIsRelativeToTheDateOfItsResponse(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	sent := wire.SentAt("Sun, 01 Mar 2026 12:00:00 GMT", now)
	require.Equal(t, 30*time.Second, wire.RetryAfter("Sun, 01 Mar 2026 12:00:30 GMT", sent))
	require.Equal(t, now, wire.SentAt("", now))
	require.Equal(t, now, wire.SentAt("yesterday", now))
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                                  0,
		"0":                                 0,
		"7":                                 7 * time.Second,
		" \t7 ":                             7 * time.Second,
		"007":                               7 * time.Second,
		"2147483648":                        2147483648 * time.Second,
		"9223372035":                        9223372035 * time.Second,
		"9223372036":                        math.MaxInt64,
		"9223372037":                        math.MaxInt64,
		"99999999999999999999999999":        math.MaxInt64,
		"Sun, 01 Mar 2026 12:00:30 GMT":     30 * time.Second,
		" Sun, 01 Mar 2026 12:00:30 GMT ":   30 * time.Second,
		"Sunday, 01-Mar-26 12:00:30 GMT":    30 * time.Second,
		"Sun Mar  1 12:00:30 2026":          30 * time.Second,
		"Sun, 01 Mar 2026 11:59:59 GMT":     0,
		"Sun, 01 Mar 2926 12:00:30 GMT":     math.MaxInt64,
		"Sun, 01 Mar 2026 12:00:30 +0000 x": 0,
		"-1":                                0,
		"+1":                                0,
		"1.5":                               2 * time.Second,
		"2.000":                             2 * time.Second,
		"0.001":                             time.Second,
		"9223372036854775808.5":             math.MaxInt64,
		"1.":                                0,
		".5":                                0,
		"1.5.5":                             0,
		"-1.5":                              0,
		"5,17, 6":                           17 * time.Second,
		"soon,3":                            3 * time.Second,
		",":                                 0,
		"1e3":                               0,
		"1_000":                             0,
		"soon":                              0,
	} {
		require.Equal(t, want, wire.RetryAfter(value, now), value)
	}
}
