package config

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// twelve returns a configuration with an instance of each scope of the order of
// precedence, in that order.
func twelve() *Config {
	c := &Config{
		Services:       []Service{{Name: "s", ID: "s-id"}},
		Routes:         []Route{{Name: "r", ID: "r-id", Service: "s-id"}, {ID: "lonely-id"}},
		Consumers:      []Consumer{{Username: "c", ID: "c-id", CustomID: "c-custom", Groups: []string{"g"}}},
		ConsumerGroups: []ConsumerGroup{{Name: "g", ID: "g-id"}},
	}
	for _, s := range []Scope{
		{Consumer: "c-id", Route: "r", Service: "s"},
		{ConsumerGroup: "g", Route: "r", Service: "s"},
		{Consumer: "c", Route: "r-id"},
		{Consumer: "c", Service: "s"},
		{ConsumerGroup: "g-id", Route: "r"},
		{ConsumerGroup: "g", Service: "s"},
		{Route: "r", Service: "s-id"},
		{Consumer: "c"},
		{ConsumerGroup: "g"},
		{Route: "r"},
		{Service: "s"},
		{},
	} {
		c.Plugins = append(c.Plugins, Plugin{Scope: s, Enabled: true})
	}
	return c
}

func TestFindFollowsTheOrderOfPrecedence(t *testing.T) {
	c := twelve()
	everything := Request{Service: "s", Route: "r", Consumer: "c", ConsumerGroups: []string{"g"}}
	for i := range c.Plugins {
		p, ok := c.Find(everything)
		require.True(t, ok)
		require.Same(t, &c.Plugins[i], p, "scope %+v", p.Scope)
		c.Plugins[i].Enabled = false
	}
	_, ok := c.Find(everything)
	require.False(t, ok, "disabled instances do not run")
}

func TestFindTakesNoScopeTheRequestIsNotIn(t *testing.T) {
	for name, tt := range map[string]struct {
		request Request
		want    Scope
	}{
		"nothing known":         {Request{}, Scope{}},
		"strangers":             {Request{Service: "x", Route: "y", Consumer: "z", ConsumerGroups: []string{"h"}}, Scope{}},
		"service":               {Request{Service: "s-id"}, Scope{Service: "s"}},
		"route brings service":  {Request{Route: "r"}, Scope{Route: "r", Service: "s-id"}},
		"consumer brings group": {Request{Service: "s", Consumer: "c-custom"}, Scope{Consumer: "c", Service: "s"}},
		"group alone":           {Request{ConsumerGroups: []string{"g-id"}}, Scope{ConsumerGroup: "g"}},
		"group and service":     {Request{ConsumerGroups: []string{"g"}, Service: "s"}, Scope{ConsumerGroup: "g", Service: "s"}},
		"route without service": {Request{Route: "lonely-id"}, Scope{}},
	} {
		t.Run(name, func(t *testing.T) {
			p, ok := twelve().Find(tt.request)
			require.True(t, ok)
			require.Equal(t, tt.want, p.Scope)
		})
	}
}

// TestFindTriesNames has the names with which an Envoy of someone else's describes a
// place: of a route and of its virtual host.
func TestFindTriesNames(t *testing.T) {
	c := &Config{
		Services: []Service{{Name: "s", ID: "s-id"}, {Name: "t"}},
		Routes:   []Route{{Name: "r", ID: "r-id", Service: "s-id"}, {Name: "alone"}, {Name: "t"}},
	}
	for _, s := range []Scope{
		{Route: "r", Service: "s"}, {Route: "alone", Service: "t"}, {Route: "alone"}, {Route: "t"}, {Service: "s"}, {Service: "t"}, {},
	} {
		c.Plugins = append(c.Plugins, Plugin{Scope: s, Enabled: true})
	}
	for name, tt := range map[string]struct {
		request Request
		want    Scope
	}{
		"the route's":                         {Request{Names: []string{"r", "x"}}, Scope{Route: "r", Service: "s"}},
		"its id":                              {Request{Names: []string{"r-id"}}, Scope{Route: "r", Service: "s"}},
		"that of the host, behind a stranger": {Request{Names: []string{"default", "r"}}, Scope{Route: "r", Service: "s"}},
		"two routes: the first":               {Request{Names: []string{"alone", "r"}}, Scope{Route: "alone"}},
		"a service's":                         {Request{Names: []string{"default", "s-id"}}, Scope{Service: "s"}},
		"a route's and a service's":           {Request{Names: []string{"alone", "t"}}, Scope{Route: "alone", Service: "t"}},
		"a service's and a route's":           {Request{Names: []string{"s", "alone"}}, Scope{Route: "alone"}},
		"one that is both":                    {Request{Names: []string{"t"}}, Scope{Route: "t"}},
		"the route's own service first":       {Request{Names: []string{"r", "t"}}, Scope{Route: "r", Service: "s"}},
		"a given route first":                 {Request{Route: "r", Names: []string{"alone"}}, Scope{Route: "r", Service: "s"}},
		"a given service first":               {Request{Service: "s", Names: []string{"t"}}, Scope{Route: "t"}},
		"nothing known":                       {Request{Names: []string{"default", "*", ""}}, Scope{}},
	} {
		t.Run(name, func(t *testing.T) {
			p, ok := c.Find(tt.request)
			require.True(t, ok)
			require.Equal(t, tt.want, p.Scope)
		})
	}
}

func TestFindKnowsNamesThatInstancesAreBoundTo(t *testing.T) {
	c := &Config{Plugins: []Plugin{{Scope: Scope{Route: "chat"}, Enabled: true}, {Scope: Scope{Service: "llm"}, Enabled: true}}}
	for names, want := range map[string]Scope{"chat": {Route: "chat"}, "llm": {Service: "llm"}} {
		p, ok := c.Find(Request{Names: []string{"default", names}})
		require.True(t, ok)
		require.Equal(t, want, p.Scope)
	}
	_, ok := c.Find(Request{Names: []string{"", "default"}})
	require.False(t, ok)
}

func TestFindTakesTheFirstGroupByName(t *testing.T) {
	c := &Config{Plugins: []Plugin{
		{Scope: Scope{ConsumerGroup: "silver"}, Enabled: true},
		{Scope: Scope{ConsumerGroup: "gold"}, Enabled: true},
	}}
	for _, groups := range [][]string{{"silver", "gold"}, {"gold", "silver"}, {"zinc", "silver", "gold", "bronze"}} {
		given := slices.Clone(groups)
		p, ok := c.Find(Request{ConsumerGroups: groups})
		require.True(t, ok)
		require.Equal(t, "gold", p.Scope.ConsumerGroup)
		require.Equal(t, given, groups, "the request is left as it was")
	}
	_, ok := c.Find(Request{ConsumerGroups: []string{"bronze"}})
	require.False(t, ok)
}

func TestAConfigurationMentionsWhatItsPluginsAreBoundTo(t *testing.T) {
	c := &Config{
		Services: []Service{{Name: "s"}},
		Plugins:  []Plugin{{Scope: Scope{Route: "of an instance"}}},
		Guarding: []GuardPlugin{{Scope: Scope{Route: "of a guard"}}},
	}
	require.True(t, c.Mentions(KindService, "s"))
	require.True(t, c.Mentions(KindRoute, "of an instance"))
	require.True(t, c.Mentions(KindRoute, "of a guard"))
	require.False(t, c.Mentions(KindRoute, "s"))
	require.False(t, c.Mentions(KindService, ""))
}
