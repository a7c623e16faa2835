// Package harness runs semlb with a real Envoy for tests. semlb runs inside the
// test's own process, through its command line, so that the race detector sees it;
// Envoy is its child; the upstreams are [Stub] servers on the loopback that record
// every byte and misbehave on demand.
//
// The version of Envoy is that of the environment variable ENVOY_VERSION, by
// default [DefaultEnvoyVersion]. It is installed if it is absent; nothing here
// ever skips a test.
package harness
