// Package clock is a clock whose wall time a test can set, as an administrator or NTP may
// set that of a machine, while its monotonic time goes on. It does not work in a bubble of
// testing/synctest, which has no monotonic time.
package clock

import (
	"sync/atomic"
	"time"
	"unsafe"
)

// Clock is a clock. The zero value is that of the machine.
type Clock struct {
	jumped atomic.Int64 // nanoseconds, whole seconds
}

// Jump sets the wall time forward, or back if d is negative, by whole seconds.
func (c *Clock) Jump(d time.Duration) { c.jumped.Add(int64(d.Truncate(time.Second))) }

// Now is what [time.Now] would return on a machine whose clock was set.
func (c *Clock) Now() time.Time { return jump(time.Now(), time.Duration(c.jumped.Load())) }

// reading is the layout of [time.Time] with a monotonic reading: a bit, 33 bits of seconds
// since 1885 and 30 bits of nanoseconds, then the monotonic reading. No function of package
// time changes the one and keeps the other.
type reading struct {
	wall uint64
	ext  int64
	loc  *time.Location
}

const nanosecondBits = 30

func jump(t time.Time, d time.Duration) time.Time {
	r := (*reading)(unsafe.Pointer(&t))
	r.wall += uint64(d/time.Second) << nanosecondBits
	return t
}
