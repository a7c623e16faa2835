package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"semlb/access"
	"semlb/config"
)

// Guard is a plugin that guards the request, and what is known of what it will do.
type Guard struct {
	Plugin string `json:"plugin"`
	Scope  Scope  `json:"scope"`
	// Position is the file and line of the plugin.
	Position string `json:"position"`
	// Outcome is for people: what the plugin needs, or what it answers.
	Outcome string `json:"outcome"`
	// Status is that of the answer with which the plugin certainly refuses the request; 0 if
	// that depends on more than is known.
	Status int `json:"status,omitempty"`
}

// guardsOf returns the plugins that guard a request, in the order in which they run.
func guardsOf(cfg *config.Config, r config.Request) []Guard {
	all := []Guard{}
	for _, plugin := range cfg.Guards(r) {
		g := Guard{Plugin: plugin.Name, Scope: Scope(plugin.Scope), Position: plugin.Position.String()}
		g.Outcome = outcome(plugin.Settings)
		if certain(plugin, r) {
			g.Outcome, g.Status = judge(cfg, plugin, r)
		}
		all = append(all, g)
	}
	return all
}

// certain reports whether the scope of a request tells what a plugin does.
func certain(plugin *config.GuardPlugin, r config.Request) bool {
	switch s := plugin.Settings.(type) {
	case *config.ACL:
		return r.Consumer != ""
	case *config.RequestTermination:
		return s.Trigger == ""
	default:
		return false
	}
}

// judge has a plugin check a request by itself, or behind those that let the consumer pass
// without a credential.
func judge(cfg *config.Config, plugin *config.GuardPlugin, r config.Request) (outcome string, status int) {
	consumer, guarding := r.Consumer, everywhere(plugin)
	if anonymous := anonymously(cfg, r); anonymous != nil {
		consumer, guarding = "", append(guarding, anonymous...)
	}
	gate := access.New(&config.Config{Consumers: cfg.Consumers, Guarding: guarding})
	verdict := gate.Check(&access.Request{
		Consumer: consumer, Groups: r.ConsumerGroups,
		Header: func(string) []string { return nil },
	})
	if refusal := verdict.Refusal; refusal != nil {
		return fmt.Sprintf("answers %d %s", refusal.Status, refusal.Code), refusal.Status
	}
	return "lets the consumer pass", 0
}

// anonymously returns the plugins that authenticate, for every scope, if the consumer of a
// request is that of clients without a credential to all of them, and has none itself.
func anonymously(cfg *config.Config, r config.Request) []config.GuardPlugin {
	names := config.NewNames(cfg)
	consumer := names.Of(config.KindConsumer, r.Consumer)
	hasCredential := func(c config.Consumer) bool {
		return c.Called() == consumer && len(c.KeyAuth)+len(c.BasicAuth)+len(c.JWTSecrets) > 0
	}
	if slices.ContainsFunc(cfg.Consumers, hasCredential) {
		return nil
	}
	var found []config.GuardPlugin
	for _, plugin := range cfg.Guards(r) {
		switch {
		case !plugin.Authenticates():
		case names.Of(config.KindConsumer, plugin.Anonymous()) != consumer:
			return nil
		default:
			found = append(found, everywhere(plugin)...)
		}
	}
	return found
}

// everywhere returns a plugin for every scope.
func everywhere(plugin *config.GuardPlugin) []config.GuardPlugin {
	alone := *plugin
	alone.Scope = config.Scope{}
	return []config.GuardPlugin{alone}
}

// outcome says what a plugin with some settings does with requests.
func outcome(settings any) string {
	switch s := settings.(type) {
	case *config.CORS:
		return "answers preflights; pages of " + cmp.Or(either(s.Origins), "any origin") + " may read answers"
	case *config.JWT:
		places := either([]string{place("header", s.Headers), place("parameter", s.Params), place("cookie", s.Cookies)})
		return "needs a token in " + places + without(s.Anonymous)
	case *config.KeyAuth:
		return "needs a key in " + keyPlace(s) + without(s.Anonymous)
	case *config.BasicAuth:
		return "needs a user name and a password in header authorization" + without(s.Anonymous)
	case *config.IPRestriction:
		return "refuses clients by their addresses: " + strings.Join(lists(s.Allow, s.Deny), ", ")
	case *config.RequestSizeLimiting:
		return fmt.Sprintf("refuses bodies of more than %d bytes", s.Bytes())
	case *config.ACL:
		return "needs a consumer by its groups: " + strings.Join(lists(s.Allow, s.Deny), ", ")
	case *config.RequestTermination:
		return fmt.Sprintf("answers %d to requests with %s", s.StatusCode, place("header or parameter", []string{s.Trigger}))
	default:
		return ""
	}
}

// keyPlace is where a key may be.
func keyPlace(s *config.KeyAuth) string {
	kind := "header or parameter"
	switch {
	case !s.InQuery:
		kind = "header"
	case !s.InHeader:
		kind = "parameter"
	}
	return place(kind, s.KeyNames)
}

// place is where a credential may be, or "" without a name.
func place(kind string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return kind + " " + either(names)
}

// either joins the texts that are not empty.
func either(texts []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return t == "" }), " or ")
}

// without completes what a plugin needs with what happens otherwise.
func without(anonymous string) string {
	if anonymous == "" {
		return ", else answers 401"
	}
	return ", else the consumer is " + anonymous
}

// lists are what a plugin allows and denies.
func lists(allow, deny []string) []string {
	var all []string
	if len(allow) > 0 {
		all = append(all, "allow "+either(allow))
	}
	if len(deny) > 0 {
		all = append(all, "deny "+either(deny))
	}
	return all
}
