package app

import (
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
	// seen is the state of the files when they were loaded, or just before.
	seen fingerprint
}

// openSource loads the first configuration, and takes the state file for this process.
func openSource(o *Options) (*source, error) {
	// Taken before loading: a change while everything else starts must not be missed.
	seen := fingerprintOf(o.Files, o.Reading.SecretsDir)
	options := admin.Options{
		Listen: o.Admin.Listen, Hosts: o.Admin.Hosts, Token: o.Admin.Token, KonnectToken: o.Admin.KonnectToken,
		State: o.Admin.State, Load: o.reading(), Log: o.Log,
	}
	if options.Listen == AdminOff {
		options.Listen = "127.0.0.1:0" // the state is used, but not served
	}
	var err error
	if o.Admin.State == "" {
		if options.Config, err = o.load(); err == nil {
			o.noteGuards(options.Config)
		}
	} else {
		options.Seed, err = o.seed()
	}
	if err != nil {
		return nil, err
	}
	api, err := admin.Open(options)
	if err != nil {
		return nil, err
	}
	return &source{options: o, api: api, seen: seen}, nil
}

// close releases the state file.
func (s *source) close() {
	if err := s.api.Close(); err != nil {
		s.options.Log.Warn("close Admin API", "error", err)
	}
}

// load reads the configuration files and logs warnings. Its error lists every fault.
func (o *Options) load() (*config.Config, error) {
	sources, err := o.sources()
	if err != nil {
		return nil, err
	}
	cfg, warnings, err := load.Sources(sources, o.reading())
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
func (o *Options) seed() ([]load.Source, error) {
	if len(o.Files) == 0 && !o.Demo {
		return nil, nil
	}
	return o.sources()
}

// sources are the configuration files, or the example of a demonstration.
func (o *Options) sources() ([]load.Source, error) {
	if len(o.Files) == 0 {
		return []load.Source{{Name: "examples/deck/global.yaml", Data: examples.Global()}}, nil
	}
	return load.ReadFiles(o.Files...)
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
