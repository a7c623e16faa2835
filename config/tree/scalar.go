package tree

import (
	"regexp"
	"strconv"
	"strings"

	"semlb/config"
)

// jsonNumber is the grammar of numbers in RFC 8259.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// IsNumber reports whether a text is a number as JSON writes it.
func IsNumber(text string) bool { return jsonNumber.MatchString(text) }

// Bool returns the value of a boolean. Without quotes, the words of YAML 1.1 are
// booleans, as they are for decK.
func (n *Node) Bool() (value, ok bool) {
	if n == nil || n.Kind != Bool && (n.Kind != String || !n.Plain) {
		return false, false
	}
	switch strings.ToLower(n.Text) {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	default:
		return false, false
	}
}

// Int returns the value of an integer, or of a number without a fraction, which is an
// integer for Kong.
func (n *Node) Int() (int64, bool) {
	if n == nil {
		return 0, false
	}
	switch n.Kind {
	case Int:
		i, err := strconv.ParseInt(strings.ReplaceAll(n.Text, "_", ""), 0, 64)
		return i, err == nil
	case Float:
		f, ok := n.Number()
		if !ok || f != float64(int64(f)) || f >= 1<<53 || f <= -(1<<53) {
			return 0, false
		}
		return int64(f), true
	default:
		return 0, false
	}
}

// Number returns the value of a finite number.
func (n *Node) Number() (float64, bool) {
	if n == nil {
		return 0, false
	}
	switch n.Kind {
	case Int:
		if i, ok := n.Int(); ok {
			return float64(i), true
		}
	case Float:
	default:
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(n.Text, "_", ""), 64)
	if err != nil || f-f != 0 { // infinite, or not a number
		return 0, false
	}
	return f, true
}

// NumberText returns a number as JSON writes it: in the file's own text, if that is
// JSON.
func (n *Node) NumberText() config.Number {
	if IsNumber(n.Text) {
		return config.Number(n.Text)
	}
	if i, ok := n.Int(); ok {
		return config.Number(strconv.FormatInt(i, 10))
	}
	f, _ := n.Number()
	return config.Number(strconv.FormatFloat(f, 'f', -1, 64))
}

// Literal returns a number or a boolean as JSON, YAML and Terraform write it.
func (n *Node) Literal() string {
	if n.Kind == Bool {
		b, _ := n.Bool()
		return strconv.FormatBool(b)
	}
	return string(n.NumberText())
}

// Value returns the node as encoding/json decodes it into any.
func (n *Node) Value() any {
	switch n.Kind {
	case Object:
		m := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			m[f.Name] = f.Value.Value()
		}
		return m
	case List:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = item.Value()
		}
		return list
	case Bool:
		b, _ := n.Bool()
		return b
	case Int, Float:
		f, _ := n.Number()
		return f
	case String:
		return n.Text
	default:
		return nil
	}
}
