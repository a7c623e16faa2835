package server

import (
	linked "container/list"
	"sync"
	"time"
)

// uploads bounds the large request bodies that Envoy holds: while they arrive, and then
// until their request has ended, because a further attempt may need them. A body counts
// with the length that its head announces, or if there is none with the longest that is
// accepted, until it is complete.
//
// A body beyond the bound takes the place of the one that has not grown for the longest
// time, if that is long: those who send bodies that never end, or a byte at a time, make room
// for others. If all that arrive are growing, the new one is refused.
type uploads struct {
	limit int64

	mu   sync.Mutex
	held int64
	// arriving are those that are not complete, the one that has not grown for the longest
	// time first.
	arriving linked.List
}

// upload is a body that Envoy holds.
type upload struct {
	of *uploads
	// size is what it counts with, and length what has arrived of it, both in bytes.
	size, length int64
	// grown is when it last grew by enough, and sinceGrown what has arrived since then.
	grown      time.Time
	sinceGrown int64
	// place is where it is in arriving; nil if it is complete or was displaced.
	place *linked.Element

	// displaced ends the upload, and is called at most once, by a goroutine that finish
	// waits for.
	displaced func()
	ended     sync.WaitGroup
}

const (
	// smallestUpload is what a body counts at least: a stream takes memory without any.
	smallestUpload = 16 << 10
	// stalled is how long a body does not grow before it makes room for another, and growth
	// by how many bytes it has to: 8 KiB per second.
	stalled = 2 * time.Second
	growth  = 16 << 10
)

// begin adds a body of size bytes. It returns nil where there is no room for it. displaced
// is called, by a goroutine of its own, if the upload has to make room for another.
func (u *uploads) begin(size int64, displaced func()) *upload {
	size = min(max(size, smallestUpload), u.limit)
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	if !u.canHold(size, now) {
		return nil
	}
	for u.held+size > u.limit {
		u.displace()
	}
	added := &upload{of: u, size: size, grown: now, displaced: displaced}
	added.place = u.arriving.PushBack(added)
	u.held += size
	return added
}

// canHold reports whether there is room for a body of size bytes, with that of uploads that
// are stalled: none is ended unless that is enough.
func (u *uploads) canHold(size int64, now time.Time) bool {
	free := u.limit - u.held
	for e := u.arriving.Front(); free < size; e = e.Next() {
		if e == nil || now.Sub(e.Value.(*upload).grown) < stalled {
			return false
		}
		free += e.Value.(*upload).size
	}
	return true
}

// displace ends the upload that has not grown for the longest time.
func (u *uploads) displace() {
	one := u.arriving.Front().Value.(*upload)
	one.leave()
	one.shrink(0)
	one.ended.Go(one.displaced)
}

// grow notes that a part of the body has arrived, and returns the length of all parts.
func (one *upload) grow(part int) (length int64) {
	one.of.mu.Lock()
	defer one.of.mu.Unlock()
	one.length += int64(part)
	one.sinceGrown += int64(part)
	if one.sinceGrown < growth {
		return one.length
	}
	one.grown, one.sinceGrown = time.Now(), 0
	if one.place != nil {
		one.of.arriving.MoveToBack(one.place)
	}
	return one.length
}

// complete keeps an upload from being displaced: its body has arrived. A body whose length
// was unknown counts with its length from here on: an answer may last for minutes.
func (one *upload) complete() {
	one.of.mu.Lock()
	defer one.of.mu.Unlock()
	one.leave()
	one.shrink(max(one.length, smallestUpload))
}

// finish releases what is left of an upload. If it was displaced, displaced has returned.
func (one *upload) finish() {
	one.of.mu.Lock()
	one.leave()
	one.shrink(0)
	one.of.mu.Unlock()
	one.ended.Wait()
}

// leave takes an upload out of those that arrive. The caller holds the lock.
func (one *upload) leave() {
	if one.place != nil {
		one.of.arriving.Remove(one.place)
		one.place = nil
	}
}

// shrink releases the room that an upload has beyond size. The caller holds the lock.
func (one *upload) shrink(size int64) {
	size = min(size, one.size)
	one.of.held -= one.size - size
	one.size = size
}
