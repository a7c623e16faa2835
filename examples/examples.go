// Package examples contains example configurations. The one for --demo is embedded in
// the binary.
package examples

import _ "embed"

//go:embed deck/global.yaml
var global []byte

// Global returns the decK file that `semlb run --demo` serves without -c.
func Global() []byte { return global }
