package app

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"semlb/config"
)

// ExplainedInstance is the plugin instance that an explanation is about.
type ExplainedInstance struct {
	// ID is what logs and metrics call the instance.
	ID    string         `json:"id"`
	Name  string         `json:"name,omitempty"`
	Scope ExplainedScope `json:"scope"`
	// Position is where the configuration has the instance.
	Position string `json:"position"`
}

// ExplainedScope is what an instance is bound to; nothing is global.
type ExplainedScope struct {
	Service       string `json:"service,omitempty"`
	Route         string `json:"route,omitempty"`
	Consumer      string `json:"consumer,omitempty"`
	ConsumerGroup string `json:"consumer_group,omitempty"`
}

// instanceFor is the instance that serves a request, with its parts.
func (a *assembly) instanceFor(r config.Request) (*ExplainedInstance, *pluginParts, error) {
	p, ok := a.config.Find(r)
	if !ok {
		return nil, nil, fmt.Errorf("no ai-proxy-advanced plugin applies to %s; there are instances for %s", asker(r), a.offers())
	}
	instance := a.byPlugin[p]
	for _, parts := range a.plugins {
		if parts.instance == instance {
			return &ExplainedInstance{
				ID: instance.ID, Name: p.InstanceName, Scope: ExplainedScope(p.Scope), Position: p.Position.String(),
			}, parts, nil
		}
	}
	return nil, nil, fmt.Errorf("find parts of the plugin at %s: there are none", p.Position)
}

// offers lists the scopes of all instances.
func (a *assembly) offers() string {
	var all []string
	for i := range a.config.Plugins {
		if p := &a.config.Plugins[i]; p.Enabled {
			all = append(all, fmt.Sprintf("%s (%s)", ExplainedScope(p.Scope), p.Position))
		}
	}
	return strings.Join(all, ", ")
}

// asker says for whom an instance was looked for.
func asker(r config.Request) string {
	if r.Route == "" && r.Service == "" && r.Consumer == "" && len(r.ConsumerGroups) == 0 {
		return "an anonymous request without a route (give --route, --service, --consumer or --group)"
	}
	s := ExplainedScope{Service: r.Service, Route: r.Route, Consumer: r.Consumer, ConsumerGroup: strings.Join(r.ConsumerGroups, ", ")}
	return "a request of " + s.String()
}

// String is the scope for people: its parts, or "global".
func (s ExplainedScope) String() string {
	var parts []string
	for _, p := range []struct{ kind, name string }{
		{"consumer", s.Consumer}, {"group", s.ConsumerGroup}, {"route", s.Route}, {"service", s.Service},
	} {
		if p.name != "" {
			parts = append(parts, p.kind+" "+p.name)
		}
	}
	return cmp.Or(strings.Join(parts, " + "), "global")
}

// String is the instance for people.
func (i *ExplainedInstance) String() string {
	name := ""
	if i.Name != "" {
		name = strconv.Quote(i.Name) + ", "
	}
	return fmt.Sprintf("%s%s, %s", name, i.Scope, i.Position)
}
