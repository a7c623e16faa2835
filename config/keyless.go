package config

import "fmt"

// Keyless are warnings about enabled instances with targets that have no credential and
// take none from clients, one for each instance. Kong passes a client's Authorization on to
// such a target; here it may be meant for the gateway, and is dropped.
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
		subject := "this target has"
		if n > 1 {
			subject = fmt.Sprintf("this target and %d more have", n-1)
		}
		warnings = append(warnings, Warning{
			Position: at, Path: fmt.Sprintf("config.targets[%d].auth", first),
			Text: subject + " no credential: requests go there without one, and a client's own Authorization is dropped unless allow_override is true",
		})
	}
	return warnings
}

// keyless is the first target of an instance that has no credential and takes none from
// clients, and how many there are.
func (p *Plugin) keyless() (first, n int) {
	for i := range p.Settings.Targets {
		if a := &p.Settings.Targets[i].Auth; a.HeaderName != "" || a.ParamName != "" || a.AllowOverride {
			continue
		}
		if n == 0 {
			first = i
		}
		n++
	}
	return first, n
}
