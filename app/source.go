package app

import (
	"context"

	"semlb/admin"
	"semlb/config"
	"semlb/config/load"
	"semlb/examples"
)

// source is where the configuration comes from: files, or the state of the Admin API.
// The Admin API shows the configuration in both cases.
type source struct {
	options *Options
	api     *admin.API
	// reader reads the files.
	reader load.Reader
	// seen is the state of the files when they were loaded, or just before.
	seen fingerprint
	// named are the files that scripts name, as they were opened last, and namedSeen their
	// state just before.
	named     []string
	namedSeen string
}

// openSource loads the first configuration, and takes the state file for this process.
func openSource(ctx context.Context, o *Options) (*source, error) {
	s := &source{options: o}
	options := admin.Options{
		Listen: o.Admin.Listen, Hosts: o.Admin.Hosts, Token: o.Admin.Token, KonnectToken: o.Admin.KonnectToken,
		State: o.Admin.State, Load: o.reading(), Log: o.Log,
	}
	if options.Listen == AdminOff {
		options.Listen = "127.0.0.1:0" // the state is used, but not served
	}
	var err error
	if o.Admin.State == "" {
		if options.Config, err = s.load(ctx); err == nil {
			o.noteGuards(options.Config)
		}
	} else {
		options.Seed, err = o.seed(ctx)
	}
	if err != nil {
		return nil, err
	}
	if s.api, err = admin.Open(options); err != nil {
		return nil, err
	}
	return s, nil
}

// load reads the configuration files. Their state is taken before: a change while
// everything else starts must not be missed.
func (s *source) load(ctx context.Context) (*config.Config, error) {
	s.seen = fingerprintOf(s.options.Files, s.options.Reading.SecretsDir)
	s.named, s.namedSeen = nil, ""
	sources, err := s.options.sources(ctx, &s.reader)
	if err != nil {
		return nil, err
	}
	return s.options.parse(sources, func(path string) {
		s.named = append(s.named, path)
		s.namedSeen += stateOf(path)
	})
}

// changed reports whether a file has changed since it was loaded.
func (s *source) changed() bool {
	now := ""
	for _, path := range s.named {
		now += stateOf(path)
	}
	return now != s.namedSeen || fingerprintOf(s.options.Files, s.options.Reading.SecretsDir) != s.seen
}

// close releases the state file.
func (s *source) close() {
	if err := s.api.Close(); err != nil {
		s.options.Log.Warn("close Admin API", "error", err)
	}
}

// parse loads files that have been read, and logs warnings. Its error lists every fault.
// opened is told of the files that scripts name.
func (o *Options) parse(sources []load.Source, opened func(path string)) (*config.Config, error) {
	reading := o.reading()
	reading.Opened = opened
	cfg, warnings, err := load.Sources(sources, reading)
	for _, w := range warnings {
		if w.Info {
			o.Log.Info("configuration", "file", w.Position.File, "info", w.Text)
			continue
		}
		o.Log.Warn("configuration", "warning", w)
	}
	return cfg, err
}

// seed is what a new state begins with: nothing if there are no files.
func (o *Options) seed(ctx context.Context) ([]load.Source, error) {
	if len(o.Files) == 0 && !o.Demo {
		return nil, nil
	}
	return o.sources(ctx, new(load.Reader))
}

// sources are the configuration files, or the example of a demonstration.
func (o *Options) sources(ctx context.Context, r *load.Reader) ([]load.Source, error) {
	if len(o.Files) == 0 {
		return []load.Source{{Name: "examples/deck/global.yaml", Data: examples.Global()}}, nil
	}
	return r.Read(ctx, o.Files...)
}

// demoKey is the value of every variable that a demonstration does not have.
const demoKey = "demo-key"

// reading is Reading with the variables of a demonstration.
func (o *Options) reading() load.Options {
	r := o.Reading
	if o.Demo {
		r.Env = func(name string) (string, bool) {
			if value, ok := o.Reading.Env(name); ok {
				return value, true
			}
			return demoKey, true
		}
	}
	return r
}
