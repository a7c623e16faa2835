// Package foreign runs semlb with an Envoy that has listeners of its own, with the
// configurations of docs/own-envoy.md.
package foreign
