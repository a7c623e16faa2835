package build

import (
	"maps"
	"sync"
	"weak"

	"semlb/provider"
	"semlb/provider/dialects"
	"semlb/server"
)

// madeTargets finds the targets that were made before, as long as anything uses them: most
// reloads change a few targets of many, and what they replace is kept for a while. Targets
// are immutable. The zero value knows none.
type madeTargets struct {
	mu   sync.Mutex
	byID map[string]weak.Pointer[server.Target]
}

// find returns the last target with an ID; nil if nothing uses it.
func (m *madeTargets) find(id string) *server.Target {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.byID[id].Value()
}

// provider returns the provider's part of the target that was made of equal settings, or
// makes one.
func (m *madeTargets) provider(s provider.Settings) (*provider.Target, error) {
	if known := m.find(s.ID); known != nil && known.MadeOf(s) {
		return known.Target, nil
	}
	return dialects.NewTarget(s)
}

// keep returns the target that equals t, which is t if there was none.
func (m *madeTargets) keep(t server.Target) *server.Target {
	if known := m.find(t.ID()); known != nil && *known == t {
		return known
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID == nil {
		m.byID = make(map[string]weak.Pointer[server.Target])
	}
	m.byID[t.ID()] = weak.Make(&t)
	return &t
}

// forget drops what nothing uses any more.
func (m *madeTargets) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.byID, func(_ string, p weak.Pointer[server.Target]) bool { return p.Value() == nil })
}
