package build

import (
	"errors"
	"strings"

	"semlb/config"
	"semlb/wire"
)

// Needs are the parts of a plugin that are used.
type Needs struct {
	// Embeddings and VectorDB are those of the configuration.
	Embeddings, VectorDB bool
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
		StandIn(p)
		if p.Settings.Embeddings != nil {
			standIn(&p.Settings.Embeddings.Auth)
		}
		var unset config.Faults
		if errors.As(CheckUnset(p, Needs{}), &unset) {
			all = append(all, unset...)
		}
	}
	if all == nil {
		return nil
	}
	return all
}

// StandIn gives the credentials of a plugin's targets a value where they have none, so that
// the targets can be made.
func StandIn(p *config.Plugin) {
	for i := range p.Settings.Targets {
		standIn(&p.Settings.Targets[i].Auth)
	}
}

// standIn gives a credential without a value one.
func standIn(a *config.Auth) {
	value := wire.NewSecret("unset")
	if a.HeaderName != "" && a.HeaderValue.Reveal() == "" {
		a.HeaderValue = value
	}
	if a.ParamName != "" && a.ParamValue.Reveal() == "" {
		a.ParamValue = value
	}
}

// CheckUnset returns [config.Faults] with the settings without a value that are needed. The
// credentials of targets are not.
func CheckUnset(p *config.Plugin, needs Needs) error {
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
