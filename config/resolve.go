package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// resolver fills in secrets that a file only refers to.
type resolver struct {
	env func(string) (string, bool)
	// keepVault leaves vault references as they are.
	keepVault bool
	// allowUnset makes no fault of a variable without a value.
	allowUnset bool
	checker
}

// value returns the tree with its references filled in. What is filled in is
// hidden; what cannot be had is a fault, and broken.
func (r *resolver) value(path string, s *spec, n *node) *node {
	switch {
	case s == nil || s.freeForm || n.broken:
		return n
	case n.kind == kindObject:
		return r.object(path, s, n)
	case n.kind == kindList && s.item != nil:
		c := *n
		c.items = make([]*node, len(n.items))
		for i, item := range n.items {
			c.items[i] = r.value(fmt.Sprintf("%s[%d]", path, i), s.item, item)
		}
		return &c
	case n.kind == kindString:
		return r.text(path, s, n)
	default:
		return n
	}
}

func (r *resolver) object(path string, s *spec, n *node) *node {
	c := *n
	c.fields = make([]field, len(n.fields))
	for i, f := range n.fields {
		f.value = r.value(join(path, fieldName(s, f)), s.fields[f.name], f.value)
		c.fields[i] = f
	}
	return &c
}

func (r *resolver) text(path string, s *spec, n *node) *node {
	var text string
	var err error
	switch {
	case r.keepVault && s.vault && strings.HasPrefix(n.text, "{vault://"):
		kept := *n
		kept.broken = true
		return &kept
	case strings.Contains(n.text, "{vault://"):
		text, err = r.vault(s, n.text)
	case s.secret && !n.hidden && strings.Contains(n.text, "$"):
		text, err = r.words(n.text)
	default:
		return n
	}
	var unset errUnset
	if err != nil && (!r.allowUnset || !errors.As(err, &unset)) {
		r.problem(n.pos, path, "%s", err)
	}
	if err != nil {
		return &node{kind: kindString, pos: n.pos, hidden: true, broken: true}
	}
	return &node{kind: kindString, pos: n.pos, text: text, hidden: n.hidden || text != n.text}
}

// vault returns the value of a reference such as {vault://env/my-key}, which is
// the variable MY_KEY.
func (r *resolver) vault(s *spec, text string) (string, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "{vault://")
	rest, whole := strings.CutSuffix(rest, "}")
	switch {
	case !s.vault:
		return "", fmt.Errorf("got a vault reference, which the field does not take")
	case !ok || !whole:
		return "", fmt.Errorf("a vault reference must be the whole value")
	}
	name, isEnv := strings.CutPrefix(rest, "env/")
	if !isEnv {
		return "", fmt.Errorf("not supported yet: a vault other than env")
	}
	if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`).MatchString(name) {
		return "", fmt.Errorf("got a malformed vault reference, want the form {vault://env/my-key}")
	}
	return r.variable(strings.ToUpper(strings.ReplaceAll(name, "-", "_")))
}

// words fills in the words of a text that are variables: $NAME, ${NAME} and, as a
// shell's quotes leave it, '$NAME'. A dollar sign within a word stays.
func (r *resolver) words(text string) (string, error) {
	variable := regexp.MustCompile(`^(?:\$(\w+)|\$\{(\w+)\}|'\$(\w+)')$`)
	var first error
	filled := regexp.MustCompile(`\S+`).ReplaceAllStringFunc(text, func(word string) string {
		m := variable.FindStringSubmatch(word)
		if m == nil {
			return word
		}
		value, err := r.variable(m[1] + m[2] + m[3])
		if first == nil {
			first = err
		}
		return value
	})
	return filled, first
}

// variable returns a variable that must have a value.
func (r *resolver) variable(name string) (string, error) {
	switch value, ok := r.env(name); {
	case !ok:
		return "", errUnset(name)
	case value == "":
		return "", fmt.Errorf("%s is empty: export %s=…", limited(name), limited(name))
	default:
		return value, nil
	}
}

// notSet says that a variable has no value, and what to do.
func notSet(name string) string {
	return fmt.Sprintf("%s is not set: export %s=…", limited(name), limited(name))
}
