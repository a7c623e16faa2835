package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// spec says what one field may hold, for one version of Kong.
type spec struct {
	name string
	kind kind
	// required fields must be there wherever their object is.
	required bool
	// fallback is the default as JSON decodes it, or nil.
	fallback any
	// allowed lists the values of a string, or of a list's strings.
	allowed []string
	// allowedSince names the version that brought a value, where it is newer than
	// the configuration's.
	allowedSince map[string]string
	// freeSince names the version that made free text of a closed list of values,
	// where it is newer than the configuration's. The facts do not have that list.
	freeSince string
	min, max  *float64
	minLength int
	// newSince is the version that brought the field, where that is newer than the
	// configuration's.
	newSince string
	// since is the version that brought the field, with what the facts say of it.
	since string
	// vault fields may be a reference to a secret.
	vault bool
	// secret fields are credentials.
	secret bool
	// hidden fields may hold credentials, so that no message shows their values.
	hidden   bool
	freeForm bool
	// reference fields name another entity: by its name, its id, or an object with
	// one of them.
	reference bool
	// orString numbers may be written as strings.
	orString bool
	// note says what the field is for, where the facts do.
	note string
	// extension fields are this project's own.
	extension bool
	// item describes the elements of a list.
	item *spec
	// fields describe an object, by name.
	fields map[string]*spec
}

// add puts the row of a path, such as "config.targets[].weight", below s.
func (s *spec) add(path string, row schemaField, kong version) error {
	head, rest, deeper := strings.Cut(path, ".")
	name, isList := strings.CutSuffix(head, "[]")
	child := s.child(name)
	if !deeper && !isList {
		child.hidden = child.hidden || s.hidden
		return child.fill(row, kong)
	}
	if isList {
		child.kind = kindList
		if child.item == nil {
			child.item = &spec{name: name, kind: kindObject, hidden: child.hidden}
		}
		child = child.item
	} else {
		child.kind = kindObject
	}
	return child.add(rest, row, kong)
}

// child returns the field of an object, and makes it where it is new. What lies
// below "auth" is about credentials.
func (s *spec) child(name string) *spec {
	if c, ok := s.fields[name]; ok {
		return c
	}
	if s.fields == nil {
		s.fields = map[string]*spec{}
	}
	c := &spec{name: name, hidden: s.hidden || name == "auth" || name == "cloud_authentication"}
	s.fields[name] = c
	return c
}

// fill copies a row, as it was in the given version of Kong.
func (s *spec) fill(row schemaField, kong version) error {
	k, err := parseKind(row.Type)
	if err != nil {
		return fmt.Errorf("field %s: %w", s.name, err)
	}
	s.kind, s.required, s.fallback, s.allowed = k, row.Required, row.Default, row.Allowed
	s.min, s.max, s.minLength = row.Min, row.Max, row.MinLength
	s.vault, s.secret, s.freeForm, s.reference = row.VaultRef, row.Encrypted, row.FreeForm, row.Reference
	s.note, s.extension, s.since = row.Note, row.Extension, row.Since
	s.hidden = s.hidden || s.secret
	if s.newSince, err = newerThan(row.Since, kong); err != nil {
		return fmt.Errorf("field %s: %w", s.name, err)
	}
	if err := s.undo(row.Changed, kong); err != nil {
		return fmt.Errorf("field %s: %w", s.name, err)
	}
	return s.fillItem(row)
}

// fillItem describes the elements of a list. Allowed values are those of its
// elements.
func (s *spec) fillItem(row schemaField) error {
	if s.kind != kindList {
		return nil
	}
	k, err := parseKind(row.Items)
	if err != nil {
		return fmt.Errorf("elements of %s: %w", s.name, err)
	}
	if s.item == nil {
		s.item = &spec{name: s.name, kind: k, hidden: s.hidden}
	}
	s.item.allowed, s.item.allowedSince = s.allowed, s.allowedSince
	s.allowed, s.allowedSince = nil, nil
	return nil
}

// undo takes back what versions newer than kong changed.
func (s *spec) undo(changed map[string]schemaChange, kong version) error {
	versions := slices.Sorted(maps.Keys(changed))
	slices.Reverse(versions)
	for _, text := range versions {
		newer, err := newerThan(text, kong)
		if err != nil {
			return err
		}
		if newer == "" {
			continue
		}
		c := changed[text]
		if len(c.Default) == 2 {
			s.fallback = c.Default[0]
		}
		if len(c.Required) == 2 {
			s.required = c.Required[0]
		}
		if c.Allowed == becameFreeText {
			s.freeSince = newer
		}
		for _, value := range c.AllowedAdded {
			if s.allowedSince == nil {
				s.allowedSince = map[string]string{}
			}
			s.allowedSince[value] = newer
		}
	}
	return nil
}

func (s *spec) narrow(n narrowing) {
	if n.Min != nil {
		s.min = n.Min
	}
	if n.Max != nil {
		s.max = n.Max
	}
	s.minLength = max(s.minLength, n.MinLength)
	s.secret = s.secret || n.Encrypted
	s.hidden = s.hidden || n.Encrypted
	s.orString = s.orString || n.OrString
}

// find returns the spec of a path, or nil.
func (s *spec) find(path string) *spec {
	for path != "" && s != nil {
		var head string
		head, path, _ = strings.Cut(path, ".")
		name, isList := strings.CutSuffix(head, "[]")
		if s = s.fields[name]; s != nil && isList {
			s = s.item
		}
	}
	return s
}

func parseKind(text string) (kind, error) {
	switch text {
	case "boolean":
		return kindBool, nil
	case "integer":
		return kindInt, nil
	case "number":
		return kindFloat, nil
	case "string":
		return kindString, nil
	case "array":
		return kindList, nil
	case "object":
		return kindObject, nil
	default:
		return 0, fmt.Errorf("unknown type %q", text)
	}
}
