package deploy

import (
	"sync/atomic"

	"semlb/server"
)

// Snapshot is the configuration in force. Requests load it once; it is swapped
// atomically.
type Snapshot struct {
	atomic.Pointer[server.Snapshot]
}

// NewSnapshot returns a snapshot in which no instance serves any request.
func NewSnapshot() *Snapshot {
	s := new(Snapshot)
	s.Store(&server.Snapshot{Find: func(server.Match) *server.Instance { return nil }})
	return s
}

// Targets returns the targets that requests can reach, by ID.
func (s *Snapshot) Targets() map[string]*server.Target { return s.Load().Targets() }

// newSnapshot is what requests see of the current state; m.mu is held.
func (m *Manager) newSnapshot() *server.Snapshot {
	s := &server.Snapshot{
		Find:          m.current.Find,
		Captures:      m.current.Captures,
		Paths:         m.current.Paths,
		Gate:          m.current.gate,
		ConsumersOnly: m.current.ConsumersOnly(),
		Instances:     make(map[string]*server.Instance),
	}
	for id, r := range m.retired {
		s.Instances[id] = r.instance
	}
	for _, i := range m.current.List {
		s.Instances[i.Server.ID] = i.Server
	}
	return s
}
