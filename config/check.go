package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// checker holds trees against the table and gathers the faults.
type checker struct {
	faults   Faults
	warnings []Warning
	// allowedHosts may be upstreams whatever they are.
	allowedHosts []string
}

func (c *checker) problem(pos Position, path, format string, args ...any) {
	c.add(Fault{Position: pos, Path: path, Problem: fmt.Sprintf(format, args...)})
}

func (c *checker) want(pos Position, path, got, want string) {
	c.add(Fault{Position: pos, Path: path, Got: got, Want: want})
}

// add keeps a fault, unless there are more than will ever be told.
func (c *checker) add(f Fault) {
	if len(c.faults) <= 2*maxFaults {
		c.faults = append(c.faults, f)
	}
}

// warn keeps a warning, unless there are more than anyone reads.
func (c *checker) warn(pos Position, path, text string) {
	if len(c.warnings) <= 2*maxFaults {
		c.warnings = append(c.warnings, Warning{Position: pos, Path: path, Text: text})
	}
}

// value checks a value and everything below it. Null is as good as absent.
func (c *checker) value(path string, s *spec, n *node) {
	if n.broken || n.kind == kindNull {
		return
	}
	if s.reference {
		c.reference(path, n)
		return
	}
	switch s.kind {
	case kindObject:
		c.object(path, s, n)
	case kindList:
		c.list(path, s, n)
	case kindBool:
		if _, ok := n.boolean(); !ok {
			c.want(n.pos, path, shown(s, n), "true or false")
		}
	case kindInt, kindFloat:
		c.number(path, s, n)
	default:
		c.text(path, s, n)
	}
}

func (c *checker) object(path string, s *spec, n *node) {
	if n.kind != kindObject {
		c.want(n.pos, path, article(n.kind), "an object")
		return
	}
	if s.freeForm || s.fields == nil {
		return
	}
	for _, f := range c.unique(path, s, n) {
		c.field(path, s, f)
	}
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		child := s.fields[name]
		if child.mustBeGiven() && absent(n, name) {
			c.want(n.pos, join(path, name), "nothing", wanted(child))
		}
	}
}

// unique returns the fields of an object without those that come a second time,
// which are faults.
func (c *checker) unique(path string, s *spec, n *node) []field {
	var fields []field
	first := map[string]Position{}
	for _, f := range n.fields {
		if at, twice := first[f.name]; twice {
			c.problem(f.pos, join(path, fieldName(s, f)), "got the field twice, first on line %d", at.Line)
			continue
		}
		first[f.name] = f.pos
		fields = append(fields, f)
	}
	return fields
}

// mustBeGiven reports whether a field has to be written. An object that can be
// empty comes by itself.
func (s *spec) mustBeGiven() bool {
	if !s.required || s.newSince != "" || s.fallback != nil {
		return false
	}
	if s.kind != kindObject || s.name == "config" {
		return true
	}
	for _, child := range s.fields {
		if child.mustBeGiven() {
			return true
		}
	}
	return false
}

// absent reports whether an object lacks a field. What is broken is there.
func absent(n *node, name string) bool {
	for _, f := range n.fields {
		if f.name == name && (f.value.kind != kindNull || f.value.broken) {
			return false
		}
	}
	return true
}

func (c *checker) field(path string, s *spec, f field) {
	child, known := s.fields[f.name]
	path = join(path, fieldName(s, f))
	if !known {
		if f.value.broken && f.hidden {
			return
		}
		c.problem(f.pos, path, "unknown field%s", suggestion(f, s.fields))
		return
	}
	if child.newSince != "" && f.value.kind != kindNull {
		c.problem(f.pos, path, "got a field of Kong %s, newer than the configuration's version", child.newSince)
		return
	}
	c.value(path, child, f.value)
}

// reference checks the name of another entity.
func (c *checker) reference(path string, n *node) {
	if name, ok := n.reference(); !ok || name == "" {
		c.want(n.pos, path, article(n.kind), "a name or an id")
	}
}

// reference returns the name or id of another entity: a string, or the one field
// of an object.
func (n *node) reference() (string, bool) {
	if n.kind == kindObject && len(n.fields) == 1 {
		switch f := n.fields[0]; f.name {
		case "id", "name", "username":
			n = f.value
		}
	}
	return n.text, n.kind == kindString
}

func (c *checker) list(path string, s *spec, n *node) {
	if n.kind != kindList {
		c.want(n.pos, path, article(n.kind), "a list")
		return
	}
	if len(n.items) < s.minLength {
		c.want(n.pos, path, plural(len(n.items), "element"), "at least "+strconv.Itoa(s.minLength))
	}
	for i, item := range n.items {
		at := fmt.Sprintf("%s[%d]", path, i)
		if item.kind == kindNull && !item.broken {
			c.want(item.pos, at, "null", wanted(s.item))
			continue
		}
		c.value(at, s.item, item)
	}
}

func (c *checker) text(path string, s *spec, n *node) {
	switch {
	case n.kind != kindString:
		c.want(n.pos, path, shown(s, n), wanted(s))
	case n.text == "":
		c.want(n.pos, path, "an empty string", wanted(s))
	case s.freeSince != "":
		c.warn(n.pos, path, "Kong takes any text here since "+s.freeSince+"; the configuration's version has a list of its own, which is not known here")
	case s.allowed == nil:
	case !slices.Contains(s.allowed, n.text):
		c.want(n.pos, path, shown(s, n), wanted(s))
	case s.allowedSince[n.text] != "":
		c.want(n.pos, path, shown(s, n)+" of Kong "+s.allowedSince[n.text], wanted(s))
	}
}

func (c *checker) number(path string, s *spec, n *node) {
	f, ok := n.asNumber(s)
	if !ok || s.min != nil && f < *s.min || s.max != nil && f > *s.max {
		c.want(n.pos, path, shown(s, n), wanted(s))
	}
}

// asNumber returns the number a field holds, if it holds one of the right kind.
func (n *node) asNumber(s *spec) (float64, bool) {
	if s.orString && n.kind == kindString && jsonNumber(n.text) {
		n = &node{kind: kindInt, text: n.text}
	}
	if s.kind == kindInt {
		i, ok := n.integer()
		return float64(i), ok
	}
	return n.number()
}

// shown returns a value for a message, unless it may be a credential.
func shown(s *spec, n *node) string {
	switch n.kind {
	case kindNull, kindList, kindObject:
		return article(n.kind)
	}
	if s.hidden || n.hidden {
		return article(n.kind) + " " + redacted
	}
	if n.kind == kindString {
		return "string " + printable(n.text)
	}
	if s.kind == kindString || s.kind == kindBool {
		return n.kind.String() + " " + limited(n.text)
	}
	return limited(n.text)
}

// wanted describes what a field may hold.
func wanted(s *spec) string {
	switch s.kind {
	case kindBool:
		return "true or false"
	case kindInt, kindFloat:
		return wantedNumber(s)
	case kindString:
		if s.allowed == nil {
			return "a non-empty string"
		}
		var old []string
		for _, v := range s.allowed {
			if s.allowedSince[v] == "" {
				old = append(old, v)
			}
		}
		if len(old) == 1 {
			return old[0]
		}
		return "one of " + strings.Join(old, ", ")
	default:
		return article(s.kind)
	}
}

func wantedNumber(s *spec) string {
	what := article(s.kind)
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	switch {
	case s.min != nil && s.max != nil:
		what = number(*s.min) + " to " + number(*s.max)
		if s.kind == kindInt {
			return what
		}
		return "a number from " + what
	case s.min != nil:
		return what + " of at least " + number(*s.min)
	default:
		return what
	}
}
