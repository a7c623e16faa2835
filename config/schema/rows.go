package schema

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
)

//go:embed schema.json
var schemaJSON []byte

//go:embed extensions.json
var extensionsJSON []byte

//go:embed entities.json
var entitiesJSON []byte

//go:embed guards.json
var guardsJSON []byte

// file is the form of the files.
type file struct {
	// Envelope are the fields of a plugin's entry, Fields those of its config or, in
	// entities.json, of all entities, in guards.json of all plugins. Keys are paths.
	Envelope map[string]row `json:"envelope"`
	Fields   map[string]row `json:"fields"`
	// Narrowed adds to rows of schema.json.
	Narrowed map[string]narrowing `json:"narrowed"`
}

// row is a field for all versions of Kong. What versions changed is undone for older
// ones.
type row struct {
	Type      string            `json:"type"`
	Required  bool              `json:"required"`
	Default   any               `json:"default"`
	Allowed   []string          `json:"allowed"`
	Items     string            `json:"items"`
	Min       *float64          `json:"min"`
	Max       *float64          `json:"max"`
	MinLength int               `json:"min_length"`
	Since     string            `json:"since"`
	Changed   map[string]change `json:"changed"`
	VaultRef  bool              `json:"vault_ref"`
	Encrypted bool              `json:"encrypted_at_rest"`
	FreeForm  bool              `json:"free_form"`
	Reference bool              `json:"reference"`
	Note      string            `json:"note"`
	Extension bool              `json:"extension"`
}

// change is what a version of Kong changed about a field: the old and the new value.
type change struct {
	Default      []any    `json:"default"`
	Required     []bool   `json:"required"`
	AllowedAdded []string `json:"allowed_added"`
	// Allowed is becameFreeText or empty.
	Allowed string `json:"allowed"`
}

// becameFreeText marks a field that had a closed list of values before.
const becameFreeText = "became free text"

// narrowing holds bounds and marks that the published facts leave open.
type narrowing struct {
	Min       *float64 `json:"min"`
	Max       *float64 `json:"max"`
	MinLength int      `json:"min_length"`
	Encrypted bool     `json:"encrypted_at_rest"`
	OrString  bool     `json:"or_string"`
}

// facts are the rows of all files.
type facts struct {
	// envelope are those of any plugin's entry.
	envelope, plugin, entities, guards map[string]row

	narrowed map[string]narrowing
}

// readFacts reads the embedded files, once.
var readFacts = sync.OnceValues(func() (facts, error) {
	var base, extra, around, beside file
	for _, f := range []struct {
		name string
		text []byte
		into *file
	}{{"schema", schemaJSON, &base}, {"extensions", extensionsJSON, &extra}, {"entities", entitiesJSON, &around}, {"guards", guardsJSON, &beside}} {
		if err := json.Unmarshal(f.text, f.into); err != nil {
			return facts{}, fmt.Errorf("read %s: %w", f.name, err)
		}
	}
	plugin := maps.Clone(base.Envelope)
	maps.Copy(plugin, base.Fields)
	maps.Copy(plugin, extra.Fields)
	return facts{envelope: base.Envelope, plugin: plugin, entities: around.Fields, guards: beside.Fields, narrowed: extra.Narrowed}, nil
})
