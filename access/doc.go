// Package access finds out who a client is, and decides whether its request may be served:
// by the credentials of consumers, and by the plugins of a configuration that guard its
// instances, as Kong runs them. It needs no more than the head of a request, so that a body
// that is refused is not taken.
package access
