// Package wire holds the rules of HTTP and of network security that several rooms
// need, each once: hosts of metadata services, header syntax, Retry-After, secrets
// and the body of an error.
//
// It imports the standard library and golang.org/x only, and every room may import
// it. It is no place for helpers: what belongs here is a rule of a protocol, or a list
// that must not exist in two versions.
package wire
