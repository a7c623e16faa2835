package config

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// twelve returns a configuration with an instance of each scope of the order of
// precedence, each named by its place in it.
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
