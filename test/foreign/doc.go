// Package foreign runs semlb beside an Envoy whose listeners are someone else's, as
// docs/own-envoy.md says it, with the configurations of that page.
package foreign
