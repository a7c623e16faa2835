// Package config reads the configuration of Kong's ai-proxy-advanced plugin into
// one typed model.
//
// A file becomes a neutral tree of values that know their places; the tree is
// held against the table made from schema.json and extensions.json, against the
// rules between fields, and against the list of what is not supported yet; what
// passes is decoded into [Config]. All faults are reported at once, as [Faults].
package config
