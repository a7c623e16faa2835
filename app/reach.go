package app

import (
	"log/slog"
	"strings"
	"sync"
	"time"
)

// reachOptions configure a reach.
type reachOptions struct {
	// Unreachable returns why Envoys cannot connect; nil if they can.
	Unreachable func() error
	// EnvoySeen reports whether an Envoy has connected since the start.
	EnvoySeen func() bool
	// Addresses are where Envoys connect.
	Addresses []string
	Log       *slog.Logger
}

// reach knows whether Envoys can connect, and whether one has.
type reach struct {
	options reachOptions
	begun   time.Time

	mu      sync.Mutex
	checked time.Time
	err     error
	// warned is set once it was logged that no Envoy has connected.
	warned bool
}

func newReach(o reachOptions) *reach { return &reach{options: o, begun: time.Now()} }

const (
	// reachEvery is how often a connection is tried.
	reachEvery = 5 * time.Second
	// noEnvoyAfter is how long the program waits for a first Envoy before it logs that none
	// has connected.
	noEnvoyAfter = 30 * time.Second
)

// look tries whether Envoys can connect, unless it has just been tried, and returns why they
// cannot. It logs changes.
func (r *reach) look(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.checked.IsZero() && now.Sub(r.checked) < reachEvery {
		return r.err
	}
	before := r.err
	r.checked, r.err = now, r.options.Unreachable()
	switch {
	case r.err != nil && before == nil:
		r.options.Log.Error("Envoys cannot connect", "error", r.err)
	case r.err == nil && before != nil:
		r.options.Log.Info("Envoys can connect again")
	}
	if !r.warned && now.Sub(r.begun) > noEnvoyAfter && !r.options.EnvoySeen() {
		r.warned = true
		r.options.Log.Warn("no Envoy has connected yet: requests are served by Envoys that connect to these addresses",
			"addresses", strings.Join(r.options.Addresses, " "), "after", now.Sub(r.begun).Round(time.Second))
	}
	return r.err
}

// unreachable is what look returned last.
func (r *reach) unreachable() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// note is what people must not take readiness for; "" where there is nothing to say.
func (r *reach) note() string {
	switch err := r.unreachable(); {
	case err != nil:
		return ", but no more Envoys can connect: " + err.Error()
	case !r.options.EnvoySeen():
		return "; no Envoy has connected yet"
	default:
		return ""
	}
}

// connections is the part of GET /status about the connections of Envoys.
type connections struct {
	// Addresses are where Envoys connect.
	Addresses []string `json:"addresses"`
	// EnvoySeen reports whether an Envoy has connected since the start.
	EnvoySeen bool `json:"envoy_has_connected"`
	// Unreachable is why Envoys cannot connect.
	Unreachable string `json:"unreachable,omitempty"`
}

func (r *reach) status() connections {
	c := connections{Addresses: r.options.Addresses, EnvoySeen: r.options.EnvoySeen()}
	if err := r.unreachable(); err != nil {
		c.Unreachable = err.Error()
	}
	return c
}
