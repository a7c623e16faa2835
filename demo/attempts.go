package demo

import (
	"container/list"
	"crypto/sha256"
	"sync"
)

const defaultAttempts = 10_000

// Attempts counts how often each request was tried, by its x-request-id. It
// forgets the requests it has not seen for longest.
type Attempts struct {
	limit int

	mu     sync.Mutex
	recent *list.List // of *attempt, newest first
	byID   map[[sha256.Size]byte]*list.Element
}

type attempt struct {
	id    [sha256.Size]byte
	count int
}

// NewAttempts returns a counter that remembers limit requests, or 10,000 if limit
// is not above 0.
func NewAttempts(limit int) *Attempts {
	if limit <= 0 {
		limit = defaultAttempts
	}
	return &Attempts{limit: limit, recent: list.New(), byID: make(map[[sha256.Size]byte]*list.Element)}
}

// next returns the number of this attempt, from 1. A request without id, or a
// counter that is nil, is always at its first.
func (a *Attempts) next(requestID string) int {
	if a == nil || requestID == "" {
		return 1
	}
	// Clients choose the ids: hashes bound what one of them can take.
	id := sha256.Sum256([]byte(requestID))
	a.mu.Lock()
	defer a.mu.Unlock()
	if e, ok := a.byID[id]; ok {
		a.recent.MoveToFront(e)
		known := e.Value.(*attempt)
		known.count++
		return known.count
	}
	a.byID[id] = a.recent.PushFront(&attempt{id: id, count: 1})
	if a.recent.Len() > a.limit {
		oldest := a.recent.Remove(a.recent.Back()).(*attempt)
		delete(a.byID, oldest.id)
	}
	return 1
}
