package admin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"semlb/config"
)

// refusal tells what is wrong with an edit: with the entity that was written by
// its fields, and with others by where they are.
func (a *API) refusal(s *state, d document, e edit, err error) *failure {
	faults := faultsOf(err)
	if err != nil && faults == nil {
		a.options.Log.Error("load state", "error", err)
		return plainFailure(http.StatusInternalServerError, "An unexpected error occurred")
	}
	if e.conflict == nil {
		e.conflict = a.sharedCredential(s, e.entity, faults)
	}
	faults = slices.DeleteFunc(slices.Clone(faults), func(f config.Fault) bool {
		return e.conflict != nil && strings.HasPrefix(f.Problem, "got a second ")
	})
	if violations := append(e.violations, violationsOf(s, d, e.entity, faults)...); violations != nil {
		return schemaViolation(violations)
	}
	return e.conflict
}

// sharedCredential tells of a written credential that another one turns out to be the
// same as, once their references are filled in.
func (a *API) sharedCredential(s *state, written entityID, faults config.Faults) *failure {
	k := a.kinds[written.kind]
	second := func(f config.Fault) bool { return strings.HasPrefix(f.Problem, "got a second credential ") }
	if k == nil || !k.credential() || !slices.ContainsFunc(faults, second) {
		return nil
	}
	return uniqueViolation(object{k.key: k.shape.fields[k.key].masked(s.entities[k.name][written.id][k.key])})
}

func violationsOf(s *state, d document, written entityID, faults config.Faults) []violation {
	var list []violation
	for _, f := range faults {
		owner, rest := d.owner(f.Path)
		v := faultViolation(f, parsePath(rest, stored(s.entities[owner.kind][owner.id])))
		if owner != written && owner != (entityID{}) {
			v = wrong(fmt.Sprintf("%s %s: %s", owner.kind, owner.id, v))
		}
		list = append(list, v)
	}
	return list
}
