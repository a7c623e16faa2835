// Package scopes shows, for every file of the examples and for every level of the
// precedence, which requests it serves and which it does not, on a real Envoy.
package scopes
