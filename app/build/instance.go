package build

import (
	"slices"
	"strings"

	"semlb/config"
	"semlb/envoy"
	"semlb/provider"
	"semlb/router"
	"semlb/server"
)

// serverInstance is a plugin instance as the server uses it.
func serverInstance(p *config.Plugin, r *router.Router, targets []*server.Target) (*server.Instance, error) {
	s := &p.Settings
	onPanic, err := translate("balancer.on_panic", s.Balancer.OnPanic, onPanics)
	if err != nil {
		return nil, err
	}
	streaming, err := translate("response_streaming", s.ResponseStreaming, streamings)
	if err != nil {
		return nil, err
	}
	return &server.Instance{
		ID:          instanceID(p),
		Router:      r,
		HashHeader:  hashHeader(&s.Balancer),
		Targets:     byID(targets),
		Attempts:    s.Balancer.Retries + 1,
		Policy:      policyOf(s.Balancer.FailoverCriteria),
		BodyLimit:   bodyLimit(s),
		OnPanic:     onPanic,
		Idle:        s.Balancer.ReadTimeout,
		RouteTypes:  routeTypes(s),
		Streaming:   streaming,
		ModelHeader: s.ModelNameHeader,
		Models:      permittedModels(s, targets),
		Captures:    slices.ContainsFunc(targets, func(t *server.Target) bool { return t.Captures() }),
		Touched:     touchedBy(targets),
		Reach:       new(server.Reach),
	}, nil
}

// hashHeader is the header whose value consistent hashing hashes; "" for the other
// algorithms.
func hashHeader(b *config.Balancer) string {
	if b.Algorithm != config.ConsistentHashing {
		return ""
	}
	return strings.ToLower(b.HashOnHeader)
}

func byID(targets []*server.Target) map[string]*server.Target {
	byID := make(map[string]*server.Target, len(targets))
	for _, t := range targets {
		byID[t.ID()] = t
	}
	return byID
}

func policyOf(criteria []config.FailoverCriterion) envoy.Policy {
	names := make([]string, len(criteria))
	for i, c := range criteria {
		names[i] = string(c)
	}
	return envoy.NewPolicy(names)
}

// bodyLimit is max_request_body_size; 0 there means as much as Envoy can hold.
func bodyLimit(s *config.AIProxyAdvanced) int64 {
	if s.MaxRequestBodySize == 0 {
		return envoy.MaxBodyLimit
	}
	return s.MaxRequestBodySize
}

// routeTypes are those of the targets, each once, in the configuration's order.
func routeTypes(s *config.AIProxyAdvanced) []string {
	var types []string
	for i := range s.Targets {
		if t := string(s.Targets[i].RouteType); !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return types
}

// permittedModels are the models that requests of each route type may name; nil if they
// may name any, as where a target's model is a template.
func permittedModels(s *config.AIProxyAdvanced, targets []*server.Target) map[string][]string {
	if s.ModelPolicy != config.ModelStrict {
		return nil
	}
	models := make(map[string][]string)
	for _, t := range targets {
		if !slices.Contains(models[t.RouteType], t.Model) {
			models[t.RouteType] = append(models[t.RouteType], t.Model)
		}
	}
	for _, t := range targets {
		if t.ModelByRequest() {
			models[t.RouteType] = nil
		}
	}
	return models
}

func touchedBy(targets []*server.Target) provider.Touched {
	rewriters := make([]*provider.Target, len(targets))
	for i, t := range targets {
		rewriters[i] = t.Target
	}
	return provider.TouchedBy(rewriters...)
}
