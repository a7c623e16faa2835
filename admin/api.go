package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"semlb/config"
	"semlb/config/load"
	"semlb/wire"
)

// Live is the configuration in force.
type Live interface {
	// Apply puts a configuration in force in one step. On an error the one in force
	// stays as it was. The error is shown to clients.
	Apply(context.Context, *config.Config) error
	// Check returns the error with which Apply would refuse a configuration because of
	// its content. It changes nothing. The error is shown to clients.
	Check(*config.Config) error
	// Refused returns why the last change, of files or by the API, is not in force; nil
	// if it is. The error is shown to clients.
	Refused() error
}

// ErrRefused is returned where Envoy refused a configuration. It leaves out Envoy's
// reason, which may quote the configuration.
var ErrRefused = errors.New("envoy rejected the configuration; the reason is in the log of semlb and at /status of the status port")

// maxConcurrent bounds how many requests are served at the same time. Others wait.
const maxConcurrent = 32

// Options say what an API serves, and to which clients.
type Options struct {
	// Listen is the address that the API is served on, such as 127.0.0.1:8001. Beyond
	// the loopback there must be a Token.
	Listen string
	// Hosts are names of the server, besides its address, that a Host header may have.
	Hosts []string
	// Token is required of every request, unless it is empty. Konnect's paths take
	// KonnectToken as well.
	Token, KonnectToken wire.Secret

	// State is the file that keeps what clients change. Without one the API is read-only
	// and shows Config.
	State  string
	Config *config.Config
	// Seed is the initial content of a State that does not exist yet.
	Seed []load.Source
	// Load says how configurations are read.
	Load load.Options

	// Log gets a line for every write; nil discards it.
	Log *slog.Logger
}

// API is Kong's Admin API over one configuration. Its methods may be called
// concurrently.
type API struct {
	options Options
	guard   guard
	store   *store
	// slots bounds the requests that are served at the same time.
	slots  *semaphore.Weighted
	writes *prometheus.CounterVec
	nodeID string
}

// Open reads the state file, or makes it, and locks it for this process until Close.
func Open(o Options) (*API, error) {
	g, err := newGuard(o)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	st, err := openStore(o)
	if err != nil {
		return nil, err
	}
	return &API{
		options: o, guard: g, store: st,
		slots: semaphore.NewWeighted(maxConcurrent), nodeID: uuid.NewString(),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "semlb_admin_writes_total", Help: "Writes to the Admin API, by collection and by whether they were applied, refused or failed.",
		}, []string{"collection", "result"}),
	}, nil
}

// Config returns the configuration to start with.
func (a *API) Config() *config.Config { return a.store.snapshot().config }

// Collector returns the counter of writes, to be registered.
func (a *API) Collector() prometheus.Collector { return a.writes }

// ReadOnly reports whether the API refuses writes, because it has no file to keep them.
func (a *API) ReadOnly() bool { return a.store.readOnly() }

// Replace shows another configuration. It is for a read-only API whose files have
// changed; an API with a state ignores it.
func (a *API) Replace(c *config.Config) {
	if a.ReadOnly() {
		a.store.show(c)
	}
}

// Close lets another process use the state file.
func (a *API) Close() error { return a.store.close() }

// Handler serves the API over what is in force.
func (a *API) Handler(live Live) http.Handler { return newServer(a, live) }
