package app

import (
	"errors"
	"fmt"
	"strconv"

	"semlb/config"
	"semlb/envoy/parts"
	"semlb/provider"
	"semlb/provider/dialects"
	"semlb/router"
	"semlb/server"
	"semlb/wire"
)

// targets builds the targets of a plugin: what rewrites requests for each, and
// what the router knows of it.
func (b *builder) targets(p *config.Plugin, parts *pluginParts) ([]*server.Target, []router.Target, error) {
	s := &p.Settings
	auths := make([]provider.Auth, len(s.Targets))
	for i := range s.Targets {
		auths[i] = authOf(&s.Targets[i].Auth)
	}
	credentials := provider.CollectCredentials(auths...)
	var targets []*server.Target
	var routed []router.Target
	var faults []error
	for i := range s.Targets {
		t := &s.Targets[i]
		baseURL, err := b.baseURL(i, t)
		if err != nil {
			return nil, nil, err
		}
		settings := provider.Settings{
			ID:                targetID(p, i),
			Provider:          string(t.Model.Provider),
			Model:             t.Model.Name,
			RouteType:         string(t.RouteType),
			Options:           optionsOf(&t.Model.Options),
			Auth:              auths[i],
			BaseURL:           baseURL,
			OptionsPrecedence: string(s.OptionsPrecedence),
			ResponseStreaming: provider.Streaming(s.ResponseStreaming),
			Credentials:       credentials,
		}
		target, err := dialects.NewTarget(settings)
		if err != nil {
			faults = append(faults, fmt.Errorf("config.targets[%d]: %w", i, err))
			continue
		}
		upstream := upstreamOf(target.Endpoint(), s)
		parts.upstreams = append(parts.upstreams, upstream)
		targets = append(targets, &server.Target{
			Target: target, Cluster: upstream.Name(),
			Provider: settings.Provider, Model: settings.Model, Description: t.Description, Weight: t.Weight,
			Statistics: t.Logging.LogStatistics, Payloads: t.Logging.LogPayloads,
			InputCost: price(t.Model.Options.InputCost), OutputCost: price(t.Model.Options.OutputCost),
		})
		routed = append(routed, router.Target{ID: settings.ID, Description: t.Description, Weight: t.Weight})
	}
	return targets, routed, errors.Join(faults...)
}

// TargetFaults are those that show when targets are made, such as a name that is part
// of a provider's address and cannot be.
func TargetFaults(cfg *config.Config) error {
	b := &builder{baseURL: func(int, *config.Target) (string, error) { return "", nil }}
	var faults []error
	for i := range cfg.Plugins {
		p := &cfg.Plugins[i]
		if !p.Enabled {
			continue
		}
		if _, _, err := b.targets(p, &pluginParts{}); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", p.Position, err))
		}
	}
	return errors.Join(faults...)
}

// targetID names a target the same way in every replica and after a reload that
// did not change it: by its place, and by what it is without its secrets.
func targetID(p *config.Plugin, i int) string {
	t := &p.Settings.Targets[i]
	return digest(p.Scope, i, t.Description, t.Weight, t.RouteType, t.Model)
}

func upstreamOf(e provider.Endpoint, s *config.AIProxyAdvanced) parts.Upstream {
	return parts.Upstream{
		Scheme: e.Scheme, Host: e.Host, Port: uint16(e.Port),
		ConnectTimeout: s.Balancer.ConnectTimeout,
		WriteTimeout:   s.Balancer.WriteTimeout,
	}
}

func authOf(a *config.Auth) provider.Auth {
	return provider.Auth{
		HeaderName: a.HeaderName, HeaderValue: wire.NewSecret(a.HeaderValue.Reveal()),
		ParamName: a.ParamName, ParamValue: wire.NewSecret(a.ParamValue.Reveal()),
		ParamLocation: string(a.ParamLocation), AllowOverride: a.AllowOverride,
	}
}

func optionsOf(o *config.ModelOptions) provider.Options {
	return provider.Options{
		MaxTokens:              integer(o.MaxTokens),
		Temperature:            string(o.Temperature),
		TopP:                   string(o.TopP),
		TopK:                   integer(o.TopK),
		UpstreamURL:            o.UpstreamURL,
		UpstreamPath:           o.UpstreamPath,
		AzureInstance:          o.AzureInstance,
		AzureDeploymentID:      o.AzureDeploymentID,
		AzureAPIVersion:        o.AzureAPIVersion,
		DashscopeInternational: o.DashScope.International,
		MistralFormat:          o.MistralFormat,
	}
}

// integer is an optional number as JSON text; empty for none.
func integer(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// price is an optional price; none is 0.
func price(p *float64) float64 {
	if p == nil {
		return 0
	}
	return *p
}
