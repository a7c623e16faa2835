package config

import "cmp"

// firstOf returns the first name that is not empty.
func firstOf(names ...string) string { return cmp.Or(names...) }
