// Package gateway describes to Envoy what happens to a request before a plugin
// instance serves it: the listener, Kong's routes, and the credentials of consumers.
package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"semlb/config"
	"semlb/envoy"
	"semlb/envoy/parts"
	"semlb/wire"
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
	// SecretsDir is a directory for key sets that Envoy reads; empty for none.
	SecretsDir string
	// DecisionBudget bounds a routing decision.
	DecisionBudget time.Duration
}

// Config describes cfg to Envoy, except for the instances and their targets. It writes
// key sets into SecretsDir.
func (o Options) Config(cfg *config.Config) (parts.Config, error) {
	routes := routesOf(cfg)
	var credentials parts.Credentials
	if slices.ContainsFunc(routes, func(r parts.Route) bool { return !r.Guarded }) {
		var err error
		if credentials, err = credentialsOf(cfg, o.SecretsDir); err != nil {
			return parts.Config{}, err
		}
	}
	return parts.Config{
		ListenHost:     o.Listen.Addr().String(),
		ListenPort:     o.Listen.Port(),
		Service:        o.Service,
		Routes:         routes,
		Credentials:    credentials,
		TrustedCA:      o.TrustedCA,
		DecisionBudget: o.DecisionBudget,
		HopSocket:      o.HopSocket,
	}, nil
}

// CheckTrust returns an error if a provider is reached over TLS and there is nothing
// to verify it with.
func (o Options) CheckTrust(upstreams []parts.Upstream) error {
	tls := func(u parts.Upstream) bool { return u.Scheme == "https" }
	if o.TrustedCA == "" && slices.ContainsFunc(upstreams, tls) {
		return errors.New("no file of certificate authorities found to verify providers with: install your distribution's ca-certificates, or give --trusted-ca FILE")
	}
	return nil
}

// routesOf are the routes of a configuration. Without any, one route takes every
// request. Routes of a disabled service are omitted, so that their requests go to the
// next route that matches, or to none.
func routesOf(cfg *config.Config) []parts.Route {
	if len(cfg.Routes) == 0 {
		return []parts.Route{guarded(cfg, parts.Route{}, config.Request{})}
	}
	disabled := disabledServices(cfg.Services)
	var routes []parts.Route
	for i := range cfg.Routes {
		r := &cfg.Routes[i]
		if disabled[r.Service] {
			continue
		}
		routes = append(routes, guarded(cfg, parts.Route{
			Name:            cmp.Or(r.Name, r.ID),
			Hosts:           r.Hosts,
			Paths:           r.Paths,
			Methods:         r.Methods,
			Headers:         r.Headers,
			RegexPriority:   r.RegexPriority,
			PlainHTTPStatus: plainHTTPStatus(r),
		}, config.Request{Route: cmp.Or(r.Name, r.ID), Service: r.Service}))
	}
	return routes
}

// guarded notes what plugins say of the requests to a route.
func guarded(cfg *config.Config, route parts.Route, r config.Request) parts.Route {
	for _, g := range cfg.Guards(r) {
		_, cors := g.Settings.(*config.CORS)
		route.Guarded = route.Guarded || g.Authenticates()
		route.CORS = route.CORS || cors
	}
	return route
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

// Secrets are the credentials of a configuration, in every form in which Envoy has
// them.
func Secrets(cfg *config.Config, c parts.Credentials) []wire.Secret {
	secrets := cfg.Secrets()
	for _, u := range c.Users {
		secrets = append(secrets, wire.NewSecret(u.Hash()))
	}
	return secrets
}

func credentialsOf(cfg *config.Config, secretsDir string) (parts.Credentials, error) {
	var c parts.Credentials
	for i := range cfg.Consumers {
		consumer := &cfg.Consumers[i]
		for _, k := range consumer.KeyAuth {
			c.APIKeys = append(c.APIKeys, parts.APIKey{Consumer: nameOf(consumer), Key: k.Key})
		}
		for _, b := range consumer.BasicAuth {
			c.Users = append(c.Users, parts.User{Name: b.Username, Password: b.Password})
		}
		for _, j := range consumer.JWTSecrets {
			file, err := writeKeySet(secretsDir, j)
			if err != nil {
				return c, fmt.Errorf("jwt secret of consumer %s: %w", nameOf(consumer), err)
			}
			c.Issuers = append(c.Issuers, parts.Issuer{Name: j.Key, KeySetFile: file})
		}
	}
	return c, nil
}

// nameOf is the name by which scopes and credentials refer to a consumer.
func nameOf(c *config.Consumer) string { return cmp.Or(c.Username, c.ID, c.CustomID) }

// Identifier returns a function that names the consumer of a request from the headers
// that Envoy set when it authenticated the client; "" if there is none.
func Identifier(cfg *config.Config) func(header func(string) string) string {
	users, issuers := make(map[string]string), make(map[string]string)
	for i := range cfg.Consumers {
		c := &cfg.Consumers[i]
		for _, b := range c.BasicAuth {
			users[b.Username] = nameOf(c)
		}
		for _, j := range c.JWTSecrets {
			issuers[j.Key] = nameOf(c)
		}
	}
	return func(header func(string) string) string {
		if consumer := header(envoy.HeaderConsumer); consumer != "" {
			return consumer
		}
		if consumer := users[header(envoy.HeaderBasicUser)]; consumer != "" {
			return consumer
		}
		return issuers[header(envoy.HeaderIssuer)]
	}
}
