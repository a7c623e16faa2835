package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"semlb/config"
)

// explainedInstance is the plugin instance that an explanation is about.
type explainedInstance struct {
	// ID is what logs and metrics call the instance.
	ID    string         `json:"id"`
	Name  string         `json:"name,omitempty"`
	Scope explainedScope `json:"scope"`
	// Position is where the configuration has the instance.
	Position string `json:"position"`
}

// explainedScope is what an instance is bound to; nothing is global.
type explainedScope struct {
	Service       string `json:"service,omitempty"`
	Route         string `json:"route,omitempty"`
	Consumer      string `json:"consumer,omitempty"`
	ConsumerGroup string `json:"consumer_group,omitempty"`
}

// bindScope binds the flags that say in which scope a prompt comes.
func bindScope(c *cobra.Command, r *config.Request) {
	f := c.Flags()
	f.StringVar(&r.Route, "route", "", "`NAME` or id of the Kong route that the prompt comes on")
	f.StringVar(&r.Service, "service", "", "`NAME` or id of the Kong service; that of the route need not be given")
	f.StringVar(&r.Consumer, "consumer", "", "`NAME` or id of the consumer that sends the prompt (default: nobody)")
	f.StringArrayVar(&r.ConsumerGroups, "group", nil, "`NAME` or id of a group of the consumer, beside those the configuration has it in (repeatable)")
}

// instanceFor is the instance that serves a request, with its parts.
func (a *assembly) instanceFor(r config.Request) (*explainedInstance, *pluginParts, error) {
	p, ok := a.config.Find(r)
	if !ok {
		return nil, nil, fmt.Errorf("no ai-proxy-advanced plugin applies to %s; there are instances for %s", asker(r), a.offers())
	}
	instance := a.byPlugin[p]
	for _, parts := range a.plugins {
		if parts.instance == instance {
			return &explainedInstance{
				ID: instance.ID, Name: p.InstanceName, Scope: explainedScope(p.Scope), Position: p.Position.String(),
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
			all = append(all, fmt.Sprintf("%s (%s)", explainedScope(p.Scope), p.Position))
		}
	}
	return strings.Join(all, ", ")
}

// asker says for whom an instance was looked for.
func asker(r config.Request) string {
	if r.Route == "" && r.Service == "" && r.Consumer == "" && len(r.ConsumerGroups) == 0 {
		return "an anonymous request without a route (give --route, --service, --consumer or --group)"
	}
	s := explainedScope{Service: r.Service, Route: r.Route, Consumer: r.Consumer, ConsumerGroup: strings.Join(r.ConsumerGroups, ", ")}
	return "a request of " + s.String()
}

// String is the scope for people: its parts, or "global".
func (s explainedScope) String() string {
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
func (i *explainedInstance) String() string {
	name := ""
	if i.Name != "" {
		name = strconv.Quote(i.Name) + ", "
	}
	return fmt.Sprintf("%s%s, %s", name, i.Scope, i.Position)
}
