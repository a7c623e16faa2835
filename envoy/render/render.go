// Package render makes whole configurations for Envoys out of the parts of the two hops
// (package parts). Each place in which semlb can be used has a renderer: one file, and a
// line in the table.
package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"semlb/envoy/parts"
)

// Renderer makes the configuration for one kind of place.
type Renderer struct {
	// Name selects it: semlb envoy --for NAME.
	Name string
	// Short is what it prints, for the command's help.
	Short string
	// Whole reports that it renders all parts, and so needs the configuration files; else
	// Process and Clusters.Service are enough.
	Whole bool
	// Render returns the text to be printed.
	Render func(parts.Parts, Options) ([]byte, error)
}

// Names of the renderers for our own Envoy.
const (
	// ForXDS is an Envoy that gets its resources from semlb.
	ForXDS = "xds"
	// ForStatic is an Envoy without a control plane.
	ForStatic = "static"
)

// renderers has a line for each kind of place.
var renderers = []Renderer{
	{Name: ForXDS, Short: "the bootstrap of an Envoy that gets the rest over xDS", Render: asJSON(Bootstrap)},
	{Name: ForStatic, Short: "everything in one file", Whole: true, Render: asJSON(Static)},
}

// Renderers returns all renderers.
func Renderers() []Renderer { return slices.Clone(renderers) }

// For returns the renderer with a name. The error lists the names.
func For(name string) (Renderer, error) {
	names := make([]string, len(renderers))
	for i, r := range renderers {
		if r.Name == name {
			return r, nil
		}
		names[i] = r.Name
	}
	return Renderer{}, fmt.Errorf("got %q, want one of %s", name, strings.Join(names, ", "))
}

// asJSON prints a message as indented JSON. Its bytes depend on the message only; those of
// protojson vary from build to build.
func asJSON[M proto.Message](render func(parts.Parts, Options) M) func(parts.Parts, Options) ([]byte, error) {
	return func(p parts.Parts, o Options) ([]byte, error) {
		text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(render(p, o))
		if err != nil {
			return nil, fmt.Errorf("print configuration: %w", err)
		}
		var out bytes.Buffer
		if err := json.Indent(&out, text, "", "  "); err != nil {
			return nil, fmt.Errorf("print configuration: %w", err)
		}
		out.WriteByte('\n')
		return out.Bytes(), nil
	}
}
