package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"semlb/config"
	"semlb/config/load"
)

// applyTimeout bounds how long it may take to put a change in force.
const applyTimeout = 30 * time.Second

// store holds the state: in memory for readers, and in its file.
type store struct {
	kinds kinds
	load  load.Options
	log   *slog.Logger
	file  *stateFile // nil if the store is read-only

	mu      sync.Mutex // held by one writer at a time
	current atomic.Pointer[snapshot]
}

// snapshot is a state with the configuration that it loads as.
type snapshot struct {
	state  *state
	config *config.Config
	// plugins are the instances of config by the ids of their entities.
	plugins map[string]*config.Plugin
	// hash identifies the state.
	hash string
}

func newSnapshot(s *state, c *config.Config, d document) *snapshot {
	sum := sha256.Sum256(d.data)
	n := &snapshot{state: s, config: c, plugins: make(map[string]*config.Plugin, len(c.Plugins)), hash: hex.EncodeToString(sum[:16])}
	for i := range c.Plugins {
		n.plugins[pluginID(&c.Plugins[i])] = &c.Plugins[i]
	}
	return n
}

// snapshot returns the state in force.
func (st *store) snapshot() *snapshot { return st.current.Load() }

func (st *store) readOnly() bool { return st.file == nil }

// show replaces the state of a read-only store by a configuration.
func (st *store) show(c *config.Config) {
	// Clients did not write what files have in clear text, or take from the environment.
	s := fromConfig(c, st.kinds).redact()
	st.current.Store(newSnapshot(s, c, s.render()))
}

// close lets another process use the state file.
func (st *store) close() error {
	if st.readOnly() {
		return nil
	}
	return st.file.close()
}

// edit says how a state was edited.
type edit struct {
	// changed is false if the state is as it was.
	changed bool
	// written is the entity that was written, nil if none was.
	written *entity
	// violations are what is wrong with it beyond what config finds.
	violations []violation
	// conflict is an error that is returned if nothing else is wrong, or nil.
	conflict error
}

// change edits a clone of the state, puts it in force, and writes it to the file. When
// it returns nil, a restart serves the same. Errors are of type *apiError.
func (st *store) change(ctx context.Context, live Live, modify func(*state) (edit, error)) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if err := st.file.claim(); err != nil {
		st.log.Error("keep state", "error", err)
		return plainError(http.StatusInternalServerError, lostMessage(err))
	}
	before := st.snapshot()
	s := before.state.clone()
	e, err := modify(s)
	if err != nil || !e.changed {
		return err
	}
	d := s.render()
	cfg, warnings, err := st.check(d, e)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		if w.Path != "" {
			st.log.Warn("configuration", "path", w.Path, "warning", w.Text)
		}
	}
	// A client that disconnects must not leave a change half made.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTimeout)
	defer cancel()
	if err := apply(ctx, live, cfg); err != nil {
		return err
	}
	if err := st.file.write(d.data); err != nil {
		return st.rollBack(ctx, live, before, err)
	}
	st.current.Store(newSnapshot(s, cfg, d))
	return nil
}

// lostMessage is for a client whose change cannot be kept.
func lostMessage(err error) string {
	if errors.Is(err, errTaken) {
		return "Another process uses the state file now; the change was not applied"
	}
	return "The state file cannot be locked; the change was not applied"
}

// check loads an edited state with package config, whose checks decide.
func (st *store) check(d document, e edit) (*config.Config, []config.Warning, error) {
	cfg, warnings, err := d.load(st.load)
	faults := faultsOf(err)
	if err != nil && faults == nil {
		st.log.Error("load state", "error", err)
		return nil, nil, plainError(http.StatusInternalServerError, "An unexpected error occurred")
	}
	return cfg, warnings, rejection(d, e, faults)
}

func apply(ctx context.Context, live Live, cfg *config.Config) error {
	err := live.Apply(ctx, cfg)
	var internal *config.InternalError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &internal):
		return plainError(http.StatusInternalServerError, internal.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return plainError(http.StatusInternalServerError, "The change could not be applied in time; the configuration is unchanged")
	default:
		return schemaViolation(wrong(err.Error()))
	}
}

// rollBack puts the snapshot before a change in force again, after the change could not
// be written.
func (st *store) rollBack(ctx context.Context, live Live, before *snapshot, cause error) error {
	// The file may be the new one, if only the sync of its directory failed.
	restored := st.file.write(before.state.render().data)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTimeout)
	defer cancel()
	err := errors.Join(cause, live.Apply(ctx, before.config))
	st.log.Error("keep state", "error", err, "old_state_written", restored == nil)
	return plainError(http.StatusInternalServerError, "The change could not be written to disk and was not applied")
}
