package config

import (
	"fmt"
	"slices"
	"strings"

	"semlb/wire"
)

// Keyless are warnings about enabled instances with targets that have no credential, or an
// empty one, and take none from clients, one for each instance. Kong passes a client's
// Authorization on to such a target; here it may be meant for the gateway, and is dropped.
func (c *Config) Keyless() []Warning {
	var warnings []Warning
	warned := map[Position]bool{} // one resource may be bound in several places
	for i := range c.Plugins {
		p := &c.Plugins[i]
		first, n := p.keyless()
		if n == 0 || !p.Enabled {
			continue
		}
		at := p.Settings.Targets[first].Position
		if warned[at] {
			continue
		}
		warned[at] = true
		subject, what := "this target has", "no credential"
		if n > 1 {
			subject = fmt.Sprintf("this target and %d more have", n-1)
		}
		if a := &p.Settings.Targets[first].Auth; a.HeaderName != "" || a.ParamName != "" {
			what = "an empty credential"
		}
		warnings = append(warnings, Warning{
			Position: at, Path: fmt.Sprintf("config.targets[%d].auth", first),
			Text: subject + " " + what + ": requests go there without one, and a client's own Authorization is dropped unless allow_override is true",
		})
	}
	return warnings
}

// keyless is the first target of an instance that has no credential and takes none from
// clients, and how many there are.
func (p *Plugin) keyless() (first, n int) {
	for i := range p.Settings.Targets {
		if a := &p.Settings.Targets[i].Auth; a.AllowOverride ||
			a.HeaderName != "" && !isBlank(a.HeaderValue) || a.ParamName != "" && !isBlank(a.ParamValue) {
			continue
		}
		if n == 0 {
			first = i
		}
		n++
	}
	return first, n
}

// schemes come before a credential in a header. Alone they are what an empty variable leaves.
var schemes = []string{"", "basic", "bearer", "token"}

// isBlank reports whether a credential is nothing but spaces and a scheme. One that is not
// known, because its variable is not set, is not.
func isBlank(credential wire.Secret) bool {
	return !credential.IsZero() && slices.Contains(schemes, strings.ToLower(strings.TrimSpace(credential.Reveal())))
}
