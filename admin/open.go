package admin

import (
	"errors"
	"fmt"

	"semlb/config"
	"semlb/config/load"
)

// openStore opens the state file of the options, or makes a read-only store without one.
func openStore(o Options) (*store, error) {
	ks, err := newKinds(o.Load)
	if err != nil {
		return nil, err
	}
	st := &store{kinds: ks, load: o.Load, log: o.Log}
	if o.State == "" {
		if o.Config == nil {
			return nil, errors.New("open Admin API: neither a state file nor a configuration")
		}
		st.show(o.Config)
		return st, nil
	}
	if st.file, err = openStateFile(o.State, o.Log); err != nil {
		return nil, err
	}
	s, cfg, err := st.first(o.Seed)
	if err != nil {
		return nil, errors.Join(err, st.close())
	}
	st.current.Store(newSnapshot(s, cfg, s.render()))
	return st, nil
}

// first returns the state to start with: that of the file, else one made from sources,
// which is written first.
func (st *store) first(sources []load.Source) (*state, *config.Config, error) {
	data, exists, err := st.file.read()
	switch {
	case err != nil:
		return nil, nil, err
	case exists:
		if len(sources) > 0 {
			st.log.Warn("the state file exists; the configuration files are ignored", "state", st.file.path)
		}
		return st.read(load.Source{Name: st.file.path, Data: data})
	case len(sources) == 0:
		s := newState(st.kinds)
		cfg, _, err := s.render().load(st.load)
		return s, cfg, err
	}
	s, cfg, err := st.seed(sources)
	if err == nil {
		err = st.file.write(s.render().data)
	}
	return s, cfg, err
}

// read returns the state in a file, which may be any decK file.
func (st *store) read(file load.Source) (*state, *config.Config, error) {
	cfg, warnings, err := load.Sources([]load.Source{file}, st.load)
	if err != nil {
		return nil, nil, fmt.Errorf("read state: %w", err)
	}
	for _, w := range warnings {
		st.log.Warn("state", "warning", w)
	}
	if s, ok := parseState(file.Data, st.kinds); ok {
		return s, cfg, nil
	}
	return st.seed([]load.Source{file})
}

func (st *store) seed(sources []load.Source) (*state, *config.Config, error) {
	return seed{sources, st.load, st.kinds}.state()
}
