// Package seed holds tests of the configuration this project began with,
// examples/deck/global.yaml, as it is: a real Envoy, a real Redis on port 6379, and
// a server on the loopback that takes the place of OpenAI.
package seed
