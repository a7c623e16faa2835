// Package reader reads two fields of the configuration, Target.Model and Model.Name. It
// sets another, and reads a third of a struct of its own.
package reader

import "semlb/config"

type other struct{ Weight int }

// Read reads the fields.
func Read(t *config.Target, o other) int {
	t.Description = "set"
	return len(t.Model.Name) + o.Weight
}
