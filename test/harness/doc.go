// Package harness runs semlb with a real Envoy for tests. [Start] runs semlb inside the
// test's own process, through its command line, so that the race detector covers it, and
// Envoy as its child. Suites that need semlb as a separate process use [Build] and
// [semlb/test/process]. Upstreams are [Stub] servers on the loopback that record every
// byte and fail on demand.
//
// The environment variable ENVOY_VERSION selects the version of Envoy, by default
// [DefaultEnvoyVersion]. It is installed if it is missing; no test is skipped.
package harness
