// Package admin serves Kong's Admin API, and the same under Konnect's paths: it
// reads and changes what is in force over HTTP.
//
// What the API knows is a set of entities, each an object as its client sent it. A
// change makes the set that will be, writes it as one decK document, lets package
// config load that document with all its checks, puts the outcome in force, and
// replaces the state file, before it is answered. Nothing else decides what is
// valid, and a restart reads the very document that was checked.
package admin
