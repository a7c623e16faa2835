package config

import (
	"strconv"
	"strings"
)

// kind is the kind of a node.
type kind int

const (
	kindNull kind = iota
	kindBool
	kindInt
	kindFloat
	kindString
	kindList
	kindObject
)

// String returns the kind as messages name it.
func (k kind) String() string {
	return [...]string{"null", "boolean", "integer", "number", "string", "list", "object"}[k]
}

// node is a value of a file, whatever the file's format. Aliases share nodes, so a
// node is never changed once it is built.
type node struct {
	kind kind
	pos  Position
	// text is a scalar's value; of numbers and booleans as the file wrote it.
	text string
	// plain tells a YAML scalar without quotes.
	plain  bool
	items  []*node
	fields []field
	// hidden tells that the value holds some of the environment, so that no message
	// may show it.
	hidden bool
	// broken tells that something of the value could not be had, which is a fault
	// already.
	broken bool
	// height and size bound what the node expands to.
	height, size int
}

// field is a named value of an object. A name may come twice.
type field struct {
	name   string
	pos    Position
	hidden bool
	value  *node
}

// get returns the value of a field, or nil where the node is no object, has no such
// field, or has null there.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	for _, f := range n.fields {
		if f.name == name && f.value.kind != kindNull {
			return f.value
		}
	}
	return nil
}

// elements returns the elements of a list, and none of anything else.
func (n *node) elements() []*node {
	if n == nil {
		return nil
	}
	return n.items
}

// at follows names from object to object.
func (n *node) at(names ...string) *node {
	for _, name := range names {
		n = n.get(name)
	}
	return n
}

// str returns a string's value, and "" for anything else.
func (n *node) str() string {
	if n == nil || n.kind != kindString {
		return ""
	}
	return n.text
}

// empty reports whether there is nothing in the node.
func (n *node) empty() bool {
	if n == nil {
		return true
	}
	switch n.kind {
	case kindNull:
		return true
	case kindString:
		return n.text == ""
	case kindList:
		return len(n.items) == 0
	case kindObject:
		for _, f := range n.fields {
			if !f.value.empty() {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// with returns a copy of an object in which a field has another value.
func (n *node) with(name string, value *node) *node {
	c := *n
	c.fields = make([]field, 0, len(n.fields)+1)
	done := false
	for _, f := range n.fields {
		if f.name == name {
			f.value, done = value, true
		}
		c.fields = append(c.fields, f)
	}
	if !done {
		c.fields = append(c.fields, field{name: name, pos: value.pos, value: value})
	}
	return &c
}

// boolean returns the value of a boolean. The plain words of YAML 1.1 count, as
// they do for decK.
func (n *node) boolean() (value, ok bool) {
	if n.kind != kindBool && (n.kind != kindString || !n.plain) {
		return false, false
	}
	switch strings.ToLower(n.text) {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	default:
		return false, false
	}
}

// integer returns the value of an integer, or of a number without a fraction,
// which is an integer for Kong.
func (n *node) integer() (int64, bool) {
	switch n.kind {
	case kindInt:
		i, err := strconv.ParseInt(strings.ReplaceAll(n.text, "_", ""), 0, 64)
		return i, err == nil
	case kindFloat:
		f, ok := n.number()
		if !ok || f != float64(int64(f)) || f >= 1<<53 || f <= -(1<<53) {
			return 0, false
		}
		return int64(f), true
	default:
		return 0, false
	}
}

// number returns the value of a finite number.
func (n *node) number() (float64, bool) {
	switch n.kind {
	case kindInt:
		if i, ok := n.integer(); ok {
			return float64(i), true
		}
	case kindFloat:
	default:
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64)
	if err != nil || f-f != 0 {
		return 0, false
	}
	return f, true
}

// numberText returns a number as JSON writes it: in the file's own text where
// that is JSON.
func (n *node) numberText() Number {
	if jsonNumber(n.text) {
		return Number(n.text)
	}
	if i, ok := n.integer(); ok {
		return Number(strconv.FormatInt(i, 10))
	}
	f, _ := n.number()
	return Number(strconv.FormatFloat(f, 'f', -1, 64))
}

// jsonNumber reports whether text is a number by the grammar of RFC 8259.
func jsonNumber(text string) bool {
	digits := func(s string) string { return strings.TrimLeft(s, "0123456789") }
	rest := strings.TrimPrefix(text, "-")
	after := digits(rest)
	if after == rest || (rest[0] == '0' && len(rest)-len(after) > 1) {
		return false
	}
	if strings.HasPrefix(after, ".") {
		fraction := after[1:]
		if after = digits(fraction); after == fraction {
			return false
		}
	}
	if after != "" && (after[0] == 'e' || after[0] == 'E') {
		exponent := strings.TrimLeft(after[1:], "+-")
		if len(after)-1-len(exponent) > 1 || digits(exponent) == exponent {
			return false
		}
		after = digits(exponent)
	}
	return after == ""
}
