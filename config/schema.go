package config

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// schemaJSON holds the facts about the plugin's fields, as Kong publishes them.
//
//go:embed schema.json
var schemaJSON string

// extensionsJSON holds the fields that are this project's own, and the bounds the
// published facts leave open.
//
//go:embed extensions.json
var extensionsJSON string

// entitiesJSON holds the fields of services, routes, consumers and their groups.
//
//go:embed entities.json
var entitiesJSON string

// schemaFile is the form of schemaJSON and extensionsJSON.
type schemaFile struct {
	Envelope map[string]schemaField `json:"envelope"`
	Fields   map[string]schemaField `json:"fields"`
	Narrowed map[string]narrowing   `json:"narrowed"`
}

// schemaField is one row of a schemaFile.
type schemaField struct {
	Type      string                  `json:"type"`
	Required  bool                    `json:"required"`
	Default   any                     `json:"default"`
	Allowed   []string                `json:"allowed"`
	Items     string                  `json:"items"`
	Min       *float64                `json:"min"`
	Max       *float64                `json:"max"`
	MinLength int                     `json:"min_length"`
	Since     string                  `json:"since"`
	Changed   map[string]schemaChange `json:"changed"`
	VaultRef  bool                    `json:"vault_ref"`
	Encrypted bool                    `json:"encrypted_at_rest"`
	FreeForm  bool                    `json:"free_form"`
	Reference bool                    `json:"reference"`
	Note      string                  `json:"note"`
	Extension bool                    `json:"extension"`
}

// schemaChange is what a version of Kong changed about a field: the old and the
// new value.
type schemaChange struct {
	Default      []any    `json:"default"`
	Required     []bool   `json:"required"`
	AllowedAdded []string `json:"allowed_added"`
	// Allowed is becameFreeText or empty.
	Allowed string `json:"allowed"`
}

// becameFreeText says of a field that it had a closed list of values before.
const becameFreeText = "became free text"

// narrowing adds to a row of schemaJSON.
type narrowing struct {
	Min       *float64 `json:"min"`
	Max       *float64 `json:"max"`
	MinLength int      `json:"min_length"`
	Encrypted bool     `json:"encrypted_at_rest"`
	OrString  bool     `json:"or_string"`
}

// tables are what files may hold, for a version of Kong.
type tables struct {
	// plugin is a plugin's entry, "config" included; entities are those around plugins,
	// by their kind.
	plugin, entities *spec
}

// made holds *tables by their version, as text. Making them takes longer than reading
// a file of usual length, and every write to the Admin API reads one; once made, they
// are never changed.
var made sync.Map

// tablesFor returns the tables of a version.
func tablesFor(kong version) (*tables, error) {
	key := fmt.Sprint(kong)
	if t, ok := made.Load(key); ok {
		return t.(*tables), nil
	}
	plugin, err := newTable(kong)
	if err != nil {
		return nil, err
	}
	entities, err := newEntityTable(kong)
	if err != nil {
		return nil, err
	}
	t, _ := made.LoadOrStore(key, &tables{plugin: plugin, entities: entities})
	return t.(*tables), nil
}

// newTable returns what a plugin's entry in a file may hold, "config" included, for
// a version of Kong.
func newTable(kong version) (*spec, error) {
	var base, extra schemaFile
	if err := json.Unmarshal([]byte(schemaJSON), &base); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	if err := json.Unmarshal([]byte(extensionsJSON), &extra); err != nil {
		return nil, fmt.Errorf("read extensions: %w", err)
	}
	maps.Copy(base.Fields, extra.Fields)
	root := &spec{kind: kindObject}
	for _, rows := range []map[string]schemaField{base.Envelope, base.Fields} {
		if err := root.addAll(rows, kong); err != nil {
			return nil, err
		}
	}
	for path, n := range extra.Narrowed {
		s := root.find(path)
		if s == nil {
			return nil, fmt.Errorf("narrow %s: no such field", path)
		}
		s.narrow(n)
	}
	for _, name := range scopeNames() {
		root.fields[name].reference, root.fields[name].fields = true, nil
	}
	return root, nil
}

// newEntityTable returns what the entities around plugins may hold, by their kind.
func newEntityTable(kong version) (*spec, error) {
	var file schemaFile
	if err := json.Unmarshal([]byte(entitiesJSON), &file); err != nil {
		return nil, fmt.Errorf("read entities: %w", err)
	}
	root := &spec{kind: kindObject}
	if err := root.addAll(file.Fields, kong); err != nil {
		return nil, err
	}
	return root, nil
}

// addAll puts rows below s, outer ones first.
func (s *spec) addAll(rows map[string]schemaField, kong version) error {
	for _, path := range slices.Sorted(maps.Keys(rows)) {
		if err := s.add(path, rows[path], kong); err != nil {
			return err
		}
	}
	return nil
}

// scopeNames lists the parts of a scope as files name them.
func scopeNames() []string { return []string{"service", "route", "consumer", "consumer_group"} }
