package demo

import (
	"container/list"
	"crypto/sha256"
	"sync"
)

const defaultAttempts = 10_000

// Attempts counts the attempts of each request, by its x-request-id. Above its limit
// it forgets the least recently seen request.
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

// NewAttempts returns a counter for the last limit requests, or 10,000 if limit is
// not positive.
func NewAttempts(limit int) *Attempts {
	if limit <= 0 {
		limit = defaultAttempts
	}
	return &Attempts{limit: limit, recent: list.New(), byID: make(map[[sha256.Size]byte]*list.Element)}
}

// next returns the number of this attempt, from 1. It is always 1 for a request
// without an ID and for a nil counter.
func (a *Attempts) next(requestID string) int {
	if a == nil || requestID == "" {
		return 1
	}
	// Clients choose the IDs. Hashes of them have a bounded size.
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
