package admin

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"semlb/config"
)

// rejection returns what is wrong with an edit, or nil. faults are those of the document
// of the edited state: they are reported by the fields of the written entity, or with
// the name of another entity.
func rejection(d document, e edit, faults config.Faults) error {
	conflict := e.conflict
	if conflict == nil {
		conflict = resolvedConflict(e.written, faults)
	}
	violations := e.violations
	for _, f := range faults {
		// The conflict says the same with the status that Kong has for it.
		if conflict == nil || !strings.HasPrefix(f.Problem, "got a second ") {
			violations = append(violations, faultViolation(d, e.written, f))
		}
	}
	if violations != nil {
		return schemaViolation(violations...)
	}
	return conflict
}

// resolvedConflict returns an error if the written entity is a credential that is equal
// to another one once the references in both are resolved.
func resolvedConflict(written *entity, faults config.Faults) error {
	isSecond := func(f config.Fault) bool { return strings.HasPrefix(f.Problem, "got a second credential ") }
	if written == nil || written.kind.owner() == nil || !slices.ContainsFunc(faults, isSecond) {
		return nil
	}
	key := written.kind.key
	return uniqueViolation(object{key: written.redact().fields[key]})
}

// faultViolation returns a fault of a document as a violation of the written entity.
func faultViolation(d document, written *entity, f config.Fault) violation {
	e, rest := d.find(f.Path)
	if e == nil {
		return violation{parsePath(rest, nil), faultText(f)}
	}
	v := violation{parsePath(rest, e.fields), faultText(f)}
	if e != written {
		return wrong(fmt.Sprintf("%s %s: %s", e.kind.name, e.id(), v))
	}
	return v
}

func faultText(f config.Fault) string {
	switch {
	case f.Problem != "":
		return f.Problem
	case f.Got == "nothing" && strings.HasPrefix(f.Want, "a value "):
		return missing + ": want " + f.Want
	case f.Got == "nothing":
		return missing
	default:
		return "got " + f.Got + ", want " + f.Want
	}
}

// faultsOf returns the faults of an error of package config, nil if it is another error.
func faultsOf(err error) config.Faults {
	var faults config.Faults
	errors.As(err, &faults)
	return faults
}

// parsePath reads the path of a fault below a value. Only lists have indices: clients
// choose names, and a name may look like an index.
func parsePath(text string, v any) fieldPath {
	var path fieldPath
	for step := range strings.SplitSeq(text, ".") {
		name, indices, indexed := strings.Cut(step, "[")
		o, _ := v.(object)
		if list, ok := o[name].([]any); indexed && ok {
			path = append(path, name)
			path, v = parseIndices(path, indices, list)
			continue
		}
		if v = o[step]; step != "" {
			path = append(path, step)
		}
	}
	return path
}

// parseIndices appends indices, such as "0][1]", to a path, and returns the element that
// they lead to.
func parseIndices(path fieldPath, indices string, v any) (fieldPath, any) {
	for index := range strings.SplitSeq(indices, "[") {
		list, _ := v.([]any)
		i, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
		if err != nil || i < 0 || i >= len(list) {
			break
		}
		path, v = append(path, i), list[i]
	}
	return path, v
}
