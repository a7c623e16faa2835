package explain

import (
	"errors"
	"fmt"

	"semlb/app/build"
	"semlb/config"
)

// Select disables every instance but the one that serves a request, whose credentials for
// providers get a value where they have none: nothing is sent. It returns an error if the
// configuration knows nothing of the request's scope or no instance serves it, and
// [config.Faults] if settings that are needed have no value.
func Select(cfg *config.Config, r config.Request, needs build.Needs) error {
	if err := checkScope(cfg, r); err != nil {
		return err
	}
	selected, ok := cfg.Find(r)
	if !ok {
		return noInstance(cfg, r)
	}
	for i := range cfg.Plugins {
		p := &cfg.Plugins[i]
		p.Enabled = p == selected
	}
	build.StandIn(selected)
	return build.CheckUnset(selected, needs)
}

// checkScope wants the configuration to mention what a request's scope names.
func checkScope(cfg *config.Config, r config.Request) error {
	named := [...]struct {
		flag, kind string
		names      []string
	}{
		{"--route", config.KindRoute, []string{r.Route}},
		{"--service", config.KindService, []string{r.Service}},
		{"--consumer", config.KindConsumer, []string{r.Consumer}},
		{"--group", config.KindConsumerGroup, r.ConsumerGroups},
	}
	var faults []error
	for _, of := range named {
		for _, name := range of.names {
			if name != "" && !cfg.Mentions(of.kind, name) {
				faults = append(faults, fmt.Errorf("%s: the configuration has no %s %q, and no plugin is bound to one", of.flag, config.Spoken(of.kind), name))
			}
		}
	}
	return errors.Join(faults...)
}
