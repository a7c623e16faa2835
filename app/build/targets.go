package build

import (
	"errors"
	"fmt"
	"strconv"

	"semlb/config"
	"semlb/envoy/parts"
	"semlb/provider"
	"semlb/router"
	"semlb/server"
)

// builtTargets are the targets of an instance, in the configuration's order.
type builtTargets struct {
	served    []*server.Target
	routed    []router.Target
	upstreams []parts.Upstream
}

// CheckTargets returns the faults that show only when targets are made, such as a
// deployment's name that cannot be part of a host. A panic is returned as
// [config.InternalError].
func CheckTargets(cfg *config.Config) error {
	return config.Guard(func() error { return checkTargets(cfg) })
}

func checkTargets(cfg *config.Config) error {
	b := New(Options{BaseURL: func(int, *config.Target) (string, error) { return "", nil }})
	var faults []error
	for i := range cfg.Plugins {
		p := &cfg.Plugins[i]
		if !p.Enabled {
			continue
		}
		if _, err := b.targets(p); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", p.Position, err))
		}
	}
	return errors.Join(faults...)
}

// targets makes the targets of an instance. Its error lists every fault.
func (b *Builder) targets(p *config.Plugin) (builtTargets, error) {
	s := &p.Settings
	auths := make([]provider.Auth, len(s.Targets))
	for i := range s.Targets {
		auths[i] = authOf(&s.Targets[i].Auth)
	}
	credentials := provider.CollectCredentials(auths...)
	var built builtTargets
	var faults []error
	identities := make(identities)
	for i := range s.Targets {
		t := &s.Targets[i]
		settings, err := b.targetSettings(p, i)
		if err != nil {
			return builtTargets{}, err
		}
		settings.Auth, settings.Credentials = auths[i], credentials
		target, err := b.made.provider(settings)
		if err != nil {
			faults = append(faults, fmt.Errorf("config.targets[%d]: %w", i, err))
			continue
		}
		upstream := upstreamOf(target.Endpoint(), s)
		built.upstreams = append(built.upstreams, upstream)
		built.routed = append(built.routed, router.Target{ID: settings.ID, Description: t.Description, Weight: t.Weight, RouteType: settings.RouteType})
		built.served = append(built.served, b.made.keep(server.Target{
			Target: target, Cluster: upstream.Name(), Identity: identities.of(settings, target.Endpoint()), Place: i,
			Provider: settings.Provider, Model: settings.Model, RouteType: settings.RouteType, Description: t.Description, Weight: t.Weight,
			Statistics: t.Logging.LogStatistics, Payloads: t.Logging.LogPayloads,
			InputCost: price(t.Model.Options.InputCost), OutputCost: price(t.Model.Options.OutputCost),
		}))
	}
	b.made.forget()
	return built, errors.Join(faults...)
}

// targetSettings are those of a target, without credentials.
func (b *Builder) targetSettings(p *config.Plugin, i int) (provider.Settings, error) {
	s, t := &p.Settings, &p.Settings.Targets[i]
	baseURL, err := b.baseURL(i, t)
	if err != nil {
		return provider.Settings{}, err
	}
	streaming, err := translate("response_streaming", s.ResponseStreaming, streamings)
	if err != nil {
		return provider.Settings{}, err
	}
	return provider.Settings{
		ID:                targetID(p, i),
		Provider:          string(t.Model.Provider),
		Model:             t.Model.Name,
		RouteType:         string(t.RouteType),
		Options:           optionsOf(&t.Model.Options),
		BaseURL:           baseURL,
		OptionsPrecedence: string(s.OptionsPrecedence),
		ResponseStreaming: streaming,
	}, nil
}

// baseURL replaces a target's own scheme, host and port; "" replaces nothing.
func (b *Builder) baseURL(i int, t *config.Target) (string, error) {
	switch {
	case b.options.BaseURL != nil:
		return b.options.BaseURL(i, t)
	case t.Model.Options.UpstreamURL != "":
		return "", nil
	default:
		return b.options.ProviderURLs[string(t.Model.Provider)], nil
	}
}

// targetID names a target the same way in every replica, and after a reload that did
// not change it. It depends on the target's place and settings, but not on secrets.
func targetID(p *config.Plugin, i int) string {
	t := &p.Settings.Targets[i]
	return digest(p.Scope, i, t.Description, t.Weight, t.RouteType, t.Model)
}

// identities counts the targets of an instance that are the same by provider, model and
// endpoint, as those that differ in their credential only.
type identities map[string]int

// of is [server.Target.Identity] of the next target of the instance.
func (n identities) of(s provider.Settings, at provider.Endpoint) string {
	same := digest(s.Provider, s.Model, s.RouteType, s.Options.AzureDeploymentID, at)
	n[same]++
	return same + "." + strconv.Itoa(n[same])
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
		HeaderName: a.HeaderName, HeaderValue: a.HeaderValue,
		ParamName: a.ParamName, ParamValue: a.ParamValue,
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

// integer is an optional number in JSON; empty for none.
func integer(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// price is an optional price; 0 for none.
func price(p *float64) float64 {
	if p == nil {
		return 0
	}
	return *p
}
