package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/config"
)

// Live is the configuration in force.
type Live interface {
	// Apply puts a configuration in force in one step. On an error the one in force
	// stays as it was. The error is shown to clients.
	Apply(context.Context, *config.Config) error
	// Check says what Apply would refuse of a configuration by itself. It changes
	// nothing. The error is shown to clients.
	Check(*config.Config) error
	// Refused says why the last change, of files or by the API, is not in force; nil if
	// it is. The error is shown to clients.
	Refused() error
}

// ErrRefused says that Envoy did not take a configuration. Why is not said here:
// Envoy may quote the configuration.
var ErrRefused = errors.New("the configuration is refused by Envoy; the log of semlb and /status of its status port say why")

// Options say what an API serves and to whom.
type Options struct {
	// Listen is the address the API is served on, such as 127.0.0.1:8001. Beyond the
	// loopback there must be a Token.
	Listen string
	// Hosts are further names the server is called by, beside its address.
	Hosts []string
	// Token, if it is not empty, is asked for with every request. KonnectToken is
	// taken for Konnect's paths as well.
	Token, KonnectToken config.Secret

	// State is the file that keeps what is changed. Without one the API is
	// read-only and shows Config.
	State  string
	Config *config.Config
	// Seed is what a State begins with that does not exist yet.
	Seed []config.Source
	// Load says how configurations are read.
	Load config.Options

	// Log gets a line for every write; nil is nowhere.
	Log *slog.Logger
}

// API is Kong's Admin API over one configuration. Its methods may be called
// concurrently.
type API struct {
	options Options
	kinds   map[string]*kind
	guard   guard
	slots   slots
	file    *file // nil if the API is read-only
	writes  *prometheus.CounterVec
	nodeID  string

	mu      sync.Mutex // held by one writer at a time
	live    atomic.Pointer[Live]
	current atomic.Pointer[snapshot]
}

// snapshot is a state with what it came to.
type snapshot struct {
	state  *state
	config *config.Config
	// plugins are the instances of config by the ids of their entities.
	plugins map[string]*config.Plugin
	// hash changes with the state.
	hash string
}

// maxConcurrent is how many requests are served at once; others wait.
const maxConcurrent = 32

// applyTimeout bounds how long it may take to put a change in force.
const applyTimeout = 30 * time.Second

// Open reads the state file, or begins it, and takes it for this process. Close
// gives it back.
func Open(o Options) (*API, error) {
	g, err := newGuard(o)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	kinds, err := newKinds(o.Load)
	if err != nil {
		return nil, err
	}
	a := &API{options: o, kinds: kinds, guard: g, slots: make(slots, maxConcurrent), nodeID: newUUID()}
	a.writes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "semlb_admin_writes_total", Help: "Writes to the Admin API, by collection and by whether they were applied, refused or failed.",
	}, []string{"collection", "result"})
	if o.State == "" {
		if o.Config == nil {
			return nil, errors.New("open Admin API: neither a state file nor a configuration")
		}
		a.Replace(o.Config)
		return a, nil
	}
	if a.file, err = openFile(o.State); err != nil {
		return nil, err
	}
	s, cfg, err := a.begin()
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.current.Store(newSnapshot(s, cfg, s.render(a.kinds)))
	return a, nil
}

// begin returns the state to start with. One made from the seed is on the disk
// before anyone can see it.
func (a *API) begin() (*state, *config.Config, error) {
	data, exists, err := a.file.read()
	if err != nil {
		return nil, nil, err
	}
	if !exists {
		if len(a.options.Seed) == 0 {
			s := newState()
			cfg, _, err := s.render(a.kinds).load(a.options.Load)
			return s, cfg, err
		}
		s, cfg, err := seedState(a.options.Seed, a.options.Load, a.kinds)
		if err == nil {
			err = a.file.write(s.render(a.kinds).data)
		}
		return s, cfg, err
	}
	if len(a.options.Seed) > 0 {
		a.options.Log.Info("the state file exists already; the other configuration files are not read", "state", a.options.State)
	}
	source := config.Source{Name: a.options.State, Data: data}
	cfg, warnings, err := config.Load([]config.Source{source}, a.options.Load)
	if err != nil {
		return nil, nil, fmt.Errorf("read state: %w", err)
	}
	for _, w := range warnings {
		a.options.Log.Warn("state", "warning", w)
	}
	if s, ok := parseState(data, a.kinds); ok {
		return s, cfg, nil
	}
	// A decK file from elsewhere; the first change writes it anew.
	return seedState([]config.Source{source}, a.options.Load, a.kinds)
}

// Config returns the configuration to start with.
func (a *API) Config() *config.Config { return a.current.Load().config }

// Collector returns the count of writes, to be registered.
func (a *API) Collector() prometheus.Collector { return a.writes }

// ReadOnly reports whether changes are refused, because there is no file to keep
// them.
func (a *API) ReadOnly() bool { return a.file == nil }

// Replace shows another configuration. It is for a read-only API whose files have
// changed; one with a state ignores it.
func (a *API) Replace(c *config.Config) {
	if !a.ReadOnly() {
		return
	}
	s := fromConfig(c, a.kinds)
	for name, set := range s.entities {
		for id, e := range set {
			// What files hold in clear text, or the environment, is not the API's to tell.
			set[id], _ = a.kinds[name].shape.masked(e).(object)
		}
	}
	a.current.Store(newSnapshot(s, c, s.render(a.kinds)))
}

// Close lets another process use the state file.
func (a *API) Close() error {
	if a.file == nil {
		return nil
	}
	return a.file.close()
}

func newSnapshot(s *state, c *config.Config, d document) *snapshot {
	sum := sha256.Sum256(d.data)
	n := &snapshot{state: s, config: c, plugins: map[string]*config.Plugin{}, hash: hex.EncodeToString(sum[:16])}
	for i := range c.Plugins {
		n.plugins[pluginID(&c.Plugins[i])] = &c.Plugins[i]
	}
	return n
}

// edit is what became of a state that is being changed.
type edit struct {
	// changed is false where there is nothing to do.
	changed bool
	// entity is the one that was written, for faults to be told by its fields.
	entity entityID
	// violations are what is wrong beyond what package config finds.
	violations []violation
	// conflict is told where nothing else is wrong.
	conflict *failure
}

// change puts the state that prepare changes in force and on the disk. When it returns
// nil, a restart serves the same.
func (a *API) change(ctx context.Context, prepare func(*state) (edit, *failure)) *failure {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.current.Load()
	s := before.state.clone()
	done, f := prepare(s)
	if f != nil || !done.changed {
		return f
	}
	d := s.render(a.kinds)
	cfg, warnings, err := d.load(a.options.Load)
	if f := a.refusal(s, d, done, err); f != nil {
		return f
	}
	for _, w := range warnings {
		if w.Path != "" {
			a.options.Log.Warn("configuration", "path", w.Path, "warning", w.Text)
		}
	}
	// A client that leaves must not leave a change half made.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTimeout)
	defer cancel()
	if err := (*a.live.Load()).Apply(ctx, cfg); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return plainFailure(http.StatusInternalServerError, "The change could not be put in force in time; the configuration is as it was")
		}
		return schemaViolation([]violation{wrong(err.Error())})
	}
	if err := a.file.write(d.data); err != nil {
		return a.takeBack(ctx, before, err)
	}
	a.current.Store(newSnapshot(s, cfg, d))
	return nil
}

// takeBack puts the configuration before a change in force again, which could not
// be kept.
func (a *API) takeBack(ctx context.Context, before *snapshot, cause error) *failure {
	// The directory may have the new file although it could not be synced.
	old := before.state.render(a.kinds)
	restored := a.file.write(old.data)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTimeout)
	defer cancel()
	err := errors.Join(cause, (*a.live.Load()).Apply(ctx, before.config))
	a.options.Log.Error("keep state", "error", err, "old_state_written", restored == nil)
	return plainFailure(http.StatusInternalServerError, "The change could not be kept on the disk and is not in force")
}
