package config

// ScopeParts are the names of the parts of a [Scope], which are also the kinds of the
// entities they name.
var ScopeParts = [...]string{"service", "route", "consumer", "consumer_group"}
