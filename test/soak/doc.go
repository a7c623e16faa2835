// Package soak runs semlb and its Envoy for a long time under load, while everything
// around them fails and recovers, and checks every request and their memory. SOAK is
// the duration, 10 s by default; SOAK_REPORT is a file for the summary.
package soak
