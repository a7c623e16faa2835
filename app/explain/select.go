package explain

import (
	"errors"
	"fmt"
	"strings"

	"semlb/config"
	"semlb/wire"
)

// Needs are the parts of a plugin that an explanation uses.
type Needs struct {
	// Embeddings and VectorDB are those of the configuration.
	Embeddings, VectorDB bool
}

// Select disables every instance but the one that serves a request, whose credentials for
// providers get a value where they have none: nothing is sent. It returns an error if the
// configuration knows nothing of the request's scope or no instance serves it, and
// [config.Faults] if settings that are needed have no value.
func Select(cfg *config.Config, r config.Request, needs Needs) error {
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
	for i := range selected.Settings.Targets {
		standIn(&selected.Settings.Targets[i].Auth)
	}
	return checkUnset(selected, needs)
}

// WithoutKeys gives credentials for providers, embedding models and stores a value where
// they have none: what is made of the configuration sends nothing. It returns
// [config.Faults] if other settings have no value.
func WithoutKeys(cfg *config.Config) error {
	var all config.Faults
	for i := range cfg.Plugins {
		p := &cfg.Plugins[i]
		if !p.Enabled {
			continue
		}
		for i := range p.Settings.Targets {
			standIn(&p.Settings.Targets[i].Auth)
		}
		if p.Settings.Embeddings != nil {
			standIn(&p.Settings.Embeddings.Auth)
		}
		var unset config.Faults
		if errors.As(checkUnset(p, Needs{}), &unset) {
			all = append(all, unset...)
		}
	}
	if all == nil {
		return nil
	}
	return all
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
				faults = append(faults, fmt.Errorf("%s: the configuration has no %s %q, and no instance is bound to one", of.flag, config.Spoken(of.kind), name))
			}
		}
	}
	return errors.Join(faults...)
}

// standIn gives a credential without a value one, so that the target can be made.
func standIn(a *config.Auth) {
	value := wire.NewSecret("unset")
	if a.HeaderName != "" && a.HeaderValue.Reveal() == "" {
		a.HeaderValue = value
	}
	if a.ParamName != "" && a.ParamValue.Reveal() == "" {
		a.ParamValue = value
	}
}

// checkUnset returns [config.Faults] with the settings without a value that are needed. The
// credentials of targets are not.
func checkUnset(p *config.Plugin, needs Needs) error {
	unusedModel, unusedStore := !needs.Embeddings, !needs.VectorDB
	if p.Settings.Balancer.Algorithm != config.Semantic {
		unusedModel, unusedStore = true, true
	}
	var faults config.Faults
	for _, f := range p.Unset {
		switch {
		case strings.HasPrefix(f.Path, "config.embeddings.") && unusedModel:
		case strings.HasPrefix(f.Path, "config.vectordb.") && unusedStore:
		case strings.HasPrefix(f.Path, "config.targets[") && strings.Contains(f.Path, "].auth."):
		default:
			faults = append(faults, f)
		}
	}
	if faults == nil {
		return nil
	}
	return faults
}
