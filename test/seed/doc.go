// Package seed holds tests of the configuration this project began with,
// examples/deck/global.yaml, unchanged: a real Envoy, a real Redis on port 6379, and
// a stub of OpenAI on the loopback.
package seed
