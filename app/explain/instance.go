package explain

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"semlb/app/build"
	"semlb/config"
)

// Instance is the plugin instance that an explanation is about.
type Instance struct {
	// ID names the instance in logs and metrics.
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Scope Scope  `json:"scope"`
	// Position is the file and line of the instance.
	Position string `json:"position"`
}

// Scope is what an instance is bound to; the zero Scope is global.
type Scope struct {
	Service       string `json:"service,omitempty"`
	Route         string `json:"route,omitempty"`
	Consumer      string `json:"consumer,omitempty"`
	ConsumerGroup string `json:"consumer_group,omitempty"`
}

func newInstance(p *config.Plugin, i *build.Instance) *Instance {
	return &Instance{ID: i.Server.ID, Name: p.InstanceName, Scope: Scope(p.Scope), Position: p.Position.String()}
}

// noInstance is the error for a request that no instance serves. It lists the scopes
// of all instances.
func noInstance(cfg *config.Config, r config.Request) error {
	var scopes []string
	for i := range cfg.Plugins {
		if p := &cfg.Plugins[i]; p.Enabled {
			scopes = append(scopes, fmt.Sprintf("%s (%s)", Scope(p.Scope), p.Position))
		}
	}
	if len(scopes) == 0 {
		return errors.New("the configuration has no enabled ai-proxy-advanced plugin")
	}
	return fmt.Errorf("no ai-proxy-advanced plugin applies to %s; there are instances for %s", describe(r), strings.Join(scopes, ", "))
}

// describe is a request for people.
func describe(r config.Request) string {
	if r.Route == "" && r.Service == "" && r.Consumer == "" && len(r.ConsumerGroups) == 0 {
		return "an anonymous request without a route (give --route, --service, --consumer or --group)"
	}
	s := Scope{Service: r.Service, Route: r.Route, Consumer: r.Consumer, ConsumerGroup: strings.Join(r.ConsumerGroups, ", ")}
	return "a request of " + s.String()
}

// String is the scope for people: its parts, or "global".
func (s Scope) String() string {
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
func (i *Instance) String() string {
	name := ""
	if i.Name != "" {
		name = strconv.Quote(i.Name) + ", "
	}
	return fmt.Sprintf("%s%s, %s", name, i.Scope, i.Position)
}
