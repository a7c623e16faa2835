package app

import "semlb/config"

// noteGuards says what an Envoy that semlb does not run has to do for plugins that guard,
// in case its listeners are not semlb's.
func (o *Options) noteGuards(cfg *config.Config) {
	if o.Envoy != nil {
		return
	}
	if scoped := scopedGuards(cfg); len(scoped) > 0 {
		o.Log.Info("plugins of routes and services guard the requests whose route or service Envoy names; listeners that are not semlb's must name them",
			"plugins", scoped, "see", "docs/guards.md")
	}
}

// scopedGuards are the names of the enabled plugins that guard a route or a service, and of
// cors, for which a listener adds headers to answers.
func scopedGuards(cfg *config.Config) []string {
	var names []string
	seen := map[string]bool{}
	for i := range cfg.Guarding {
		g := &cfg.Guarding[i]
		_, cors := g.Settings.(*config.CORS)
		if g.Enabled && !seen[g.Name] && (cors || g.Scope.Route != "" || g.Scope.Service != "") {
			seen[g.Name] = true
			names = append(names, g.Name)
		}
	}
	return names
}
