// Package gateway describes to Envoy what happens to a request before a plugin
// instance serves it: the listener and Kong's routes.
package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"semlb/config"
	"semlb/config/regular"
	"semlb/envoy/parts"
)

// Options describe the Envoy that serves a configuration, and what it needs of this
// machine.
type Options struct {
	// Listen is where Envoy takes clients' requests.
	Listen netip.AddrPort
	// Service is where semlb serves gRPC.
	Service parts.Endpoint
	// HopSocket is the path of the inner listener's Unix socket; empty for an internal
	// listener.
	HopSocket string
	// TrustedCA is a file of certificate authorities that providers are verified with;
	// empty if there is none.
	TrustedCA string
	// DecisionBudget bounds a routing decision.
	DecisionBudget time.Duration
	// SendTimeout is how long a client may stop reading an answer; see [parts.Config].
	SendTimeout time.Duration
	// Memory is what Envoy may take, in bytes.
	Memory int64
	// Resolvers are the DNS servers that Envoy queries, where its bootstrap is semlb's own; nil
	// where it is not known. None means those of this machine.
	Resolvers *[]netip.AddrPort
}

// Config describes cfg to Envoy, except for the instances and their targets.
func (o Options) Config(cfg *config.Config) parts.Config {
	c := parts.Config{
		ListenHost:     o.Listen.Addr().String(),
		ListenPort:     o.Listen.Port(),
		Service:        o.Service,
		Routes:         routesOf(cfg),
		TrustedCA:      o.TrustedCA,
		DecisionBudget: o.DecisionBudget,
		SendTimeout:    o.SendTimeout,
		HopSocket:      o.HopSocket,
		Memory:         o.Memory,
	}
	if o.Resolvers != nil {
		c.Resolvers, c.ResolverPerName = *o.Resolvers, true
	}
	return c
}

// CheckTrust returns an error if a provider is reached over TLS and there is nothing to verify
// it with, or what there is cannot be a file of authorities.
func (o Options) CheckTrust(upstreams []parts.Upstream) error {
	tls := func(u parts.Upstream) bool { return u.Scheme == "https" }
	if o.TrustedCA == "" && slices.ContainsFunc(upstreams, tls) {
		return errors.New("no file of certificate authorities found to verify providers with: install your distribution's ca-certificates, or give --trusted-ca FILE")
	}
	if err := regular.Check(o.TrustedCA); err != nil { // Envoy would wait for a pipe
		return fmt.Errorf("--trusted-ca: %w", err)
	}
	return nil
}

// routesOf are the routes of a configuration. Without any, one route takes every
// request. Routes of a disabled service are omitted, so that their requests go to the
// next route that matches, or to none.
func routesOf(cfg *config.Config) []parts.Route {
	if len(cfg.Routes) == 0 {
		return []parts.Route{{CORS: hasCORS(cfg, config.Request{})}}
	}
	disabled := disabledServices(cfg.Services)
	var routes []parts.Route
	for i := range cfg.Routes {
		r := &cfg.Routes[i]
		if disabled[r.Service] {
			continue
		}
		name := cmp.Or(r.Name, r.ID)
		routes = append(routes, parts.Route{
			Name:            name,
			Hosts:           r.Hosts,
			Paths:           r.Paths,
			Methods:         r.Methods,
			Headers:         r.Headers,
			RegexPriority:   r.RegexPriority,
			PlainHTTPStatus: plainHTTPStatus(r),
			CORS:            hasCORS(cfg, config.Request{Route: name, Service: r.Service}),
		})
	}
	return routes
}

// hasCORS reports whether the plugin cors applies to the requests to a route.
func hasCORS(cfg *config.Config, r config.Request) bool {
	return slices.ContainsFunc(cfg.Guards(r), func(g *config.GuardPlugin) bool {
		_, is := g.Settings.(*config.CORS)
		return is
	})
}

// disabledServices are the names and IDs of the disabled services.
func disabledServices(services []config.Service) map[string]bool {
	disabled := make(map[string]bool)
	for _, s := range services {
		for _, name := range []string{s.Name, s.ID} {
			if name != "" && !s.Enabled {
				disabled[name] = true
			}
		}
	}
	return disabled
}

// plainHTTPStatus is the status of the response to a request without TLS; 0 if the
// route takes it.
func plainHTTPStatus(r *config.Route) int {
	if slices.Contains(r.Protocols, "http") {
		return 0
	}
	return r.RedirectStatus
}
