package admin

import (
	"bytes"
	"errors"
	"slices"

	"semlb/config"
	"semlb/config/load"
)

// seed makes a state from configuration files of any format.
type seed struct {
	sources []load.Source
	load    load.Options
	kinds   kinds
}

// state returns the state of the files. Credentials for which the files refer to
// variables stay references. It is an error if the state would load as anything else
// than the files do.
func (sd seed) state() (*state, *config.Config, error) {
	want, _, err := load.Sources(sd.sources, sd.load)
	if err != nil {
		return nil, nil, err
	}
	var symbolic []string
	for _, name := range sd.variables() {
		if s := sd.read([]string{name}); sd.loadsAs(s, want) {
			symbolic = append(symbolic, name)
		}
	}
	// Each variable alone may be kept; that does not say they all may.
	for _, names := range [][]string{symbolic, nil} {
		if s := sd.read(names); sd.loadsAs(s, want) {
			cfg, _, err := s.render().load(sd.load)
			return s, cfg, err
		}
	}
	return nil, nil, errors.New("seed state: the files contain something that a single decK file cannot express")
}

// variables lists the variables that the files refer to.
func (sd seed) variables() []string {
	var names []string
	opts := sd.load
	opts.Env = func(name string) (string, bool) {
		names = append(names, name)
		return lookUp(sd.load, name)
	}
	// The files have loaded before without faults.
	_, _, _ = load.Sources(sd.sources, opts)
	slices.Sort(names)
	return slices.Compact(names)
}

// read returns the state of the files in which symbolic variables have references to
// themselves as values, or nil if it does not load.
func (sd seed) read(symbolic []string) *state {
	opts := sd.load
	opts.Env = func(name string) (string, bool) {
		if slices.Contains(symbolic, name) {
			return "$" + name, true
		}
		return lookUp(sd.load, name)
	}
	c, _, err := load.Sources(sd.sources, opts)
	if err != nil {
		return nil
	}
	return fromConfig(c, sd.kinds)
}

func lookUp(o load.Options, name string) (string, bool) {
	if o.Env == nil {
		return "", false
	}
	return o.Env(name)
}

// loadsAs reports whether a state loads as a configuration.
func (sd seed) loadsAs(s *state, want *config.Config) bool {
	if s == nil {
		return false
	}
	got, _, err := s.render().load(sd.load)
	if err != nil {
		return false
	}
	// Documents have no positions in files, and their entities are in one order.
	return bytes.Equal(fromConfig(got, sd.kinds).render().data, fromConfig(want, sd.kinds).render().data)
}
