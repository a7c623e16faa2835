// Package admin serves Kong's Admin API, and the same API under Konnect's paths. Clients
// read and change the configuration in force over HTTP.
//
// The state is a set of entities, each an object as a client sent it. A write edits a copy
// of the state, renders it as one decK document, loads that document with package config,
// puts the loaded configuration in force, and replaces the state file. Only then it is
// acknowledged. Package config alone decides what is valid, and a restart reads the
// document that was checked.
//
// kindTable describes each kind of entity. A server routes requests to handlers, which
// read snapshots of the store and change it with an edit.
package admin
