// Package examples holds configurations to start from. The one of a demonstration
// is part of the program.
package examples

import _ "embed"

//go:embed deck/global.yaml
var global []byte

// Global is the decK file that `semlb run --demo` serves when it is given none.
func Global() []byte { return global }
