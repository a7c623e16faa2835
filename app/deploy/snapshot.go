package deploy

import (
	"sync/atomic"

	"semlb/access"
	"semlb/app/gateway"
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
	s.Store(&server.Snapshot{
		Find:     func(server.Match) *server.Instance { return nil },
		Consumer: func(func(string) string) string { return "" },
	})
	return s
}

// Targets returns the targets that requests can reach, by ID.
func (s *Snapshot) Targets() map[string]*server.Target { return s.Load().Targets() }

// newSnapshot is what requests see of the current state; m.mu is held.
func (m *Manager) newSnapshot() *server.Snapshot {
	s := &server.Snapshot{
		Find:          m.current.Find,
		Captures:      m.current.Captures,
		Consumer:      gateway.Identifier(m.current.Config),
		ConsumersOnly: m.current.ConsumersOnly(),
		Instances:     make(map[string]*server.Instance),
	}
	if len(m.current.Config.Guarding) > 0 {
		s.Gate = access.New(m.current.Config).Check
	}
	for id, r := range m.retired {
		s.Instances[id] = r.instance
	}
	for _, i := range m.current.List {
		s.Instances[i.Server.ID] = i.Server
	}
	return s
}
