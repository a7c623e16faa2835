// Package soak lets semlb and its Envoy run for long, under load, while everything
// around them fails and comes back, and looks at every request and at their memory.
// SOAK is how long, 10 s by default; SOAK_REPORT is a file for the summary.
package soak
