package kubernetes

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/placeholder"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

// secrets are the Secrets of the files and, behind them, those that are mounted.
type secrets struct {
	*format.Input
	mounted mountedSecrets
	// known are the Secrets by their names; nil for one that was sought and not found.
	known map[objectKey]*tree.Node
}

// find returns a Secret, or nil where there is none.
func (s *secrets) find(key objectKey, ref *tree.Node, path string) *tree.Node {
	if known, ok := s.known[key]; ok {
		return known
	}
	found, err := s.mounted.find(key)
	if err != nil {
		s.Problem(ref.Pos, path, "%s", err)
	}
	s.known[key] = found
	return found
}

// missing returns the problem that a Secret, or a key of it, does not exist.
func (s *secrets) missing(what string) string {
	if s.mounted == "" {
		return what + " in the files"
	}
	return what + " in the files or in " + string(s.mounted)
}

// value returns the value that a "secretKeyRef" below n refers to, read as JSON or YAML,
// for a field of the settings, which is nil where there is no such field. The value is
// broken where it cannot be found.
func (s *secrets) value(namespace, path string, n *tree.Node, f *schema.Field) *tree.Node {
	broken := &tree.Node{Kind: tree.Object, Pos: n.Pos, Broken: true}
	ref, path := n.Get("secretKeyRef"), report.Join(path, "secretKeyRef")
	key := objectKey{namespace, ref.Get("name").Str()}
	if namespace == "" {
		key.namespace = ref.Get("namespace").Str()
	}
	name := ref.Get("key").Str()
	if key.name == "" || name == "" {
		s.Want(n.Pos, path, "an incomplete reference", "the name and the key of a secret")
		return broken
	}
	text, ok := secretText(s.find(key, ref, path), name)
	variable := variableName(key.name + "_" + name)
	switch {
	case ok:
		return s.parse(ref, path, text, f, variable)
	case s.Converting() && (f == nil || f.Name != "config"):
		return s.placeholder(ref.Pos, path, variable) // its value need not be known
	case !s.AllowUnset:
		s.Problem(ref.Pos, path, "%s", s.missing("no key "+ref.Get("key").Quoted()+" of a secret "+ref.Get("name").Quoted()))
	}
	return broken
}

// parse reads what a Secret holds under a key.
func (s *secrets) parse(ref *tree.Node, path, text string, f *schema.Field, variable string) *tree.Node {
	broken := &tree.Node{Kind: tree.Object, Pos: ref.Pos, Broken: true}
	roots, faults := tree.NewDocument("", []byte(text)).Parse()
	if len(faults) > 0 || len(roots) != 1 {
		s.Want(ref.Pos, path, "a secret with an invalid value", "one JSON or YAML value")
		return broken
	}
	if !s.Charge(roots[0]) {
		s.Problem(ref.Pos, path, "got more than %d values, secrets counted as often as they are used", tree.MaxValues)
		return broken
	}
	value := roots[0].Concealed(ref.Pos)
	switch {
	case !s.Converting():
		return value
	case value.Kind != tree.Object && value.Kind != tree.List:
		return s.placeholder(ref.Pos, path, variable)
	default:
		return s.withPlaceholders(value, f, path, variable)
	}
}

// placeholder stands for a value of a Secret in a conversion.
func (s *secrets) placeholder(pos config.Position, path, variable string) *tree.Node {
	s.Warn(pos, path, "the value of the secret becomes the variable "+variable)
	text := s.Placeholders.Variable(variable)
	return &tree.Node{Kind: tree.String, Pos: pos, Text: text, Hidden: true, Broken: true}
}

// withPlaceholders returns a value of a Secret in which variables stand for the
// credentials. They are called after the Secret and the path within it.
func (s *secrets) withPlaceholders(n *tree.Node, f *schema.Field, path, variable string) *tree.Node {
	if f == nil || f.FreeForm {
		return n
	}
	// A Secret's "$NAME" is no reference, whereas a vault's is one wherever it stands.
	if f.Secret && n.Kind == tree.String && !strings.HasPrefix(n.Text, "{vault://") {
		return s.placeholder(n.Pos, path, variable)
	}
	c := *n
	c.Items = make([]*tree.Node, len(n.Items))
	for i, item := range n.Items {
		c.Items[i] = s.withPlaceholders(item, f.Elements, path, fmt.Sprintf("%s_%d", variable, i))
	}
	c.Fields = make([]tree.Field, len(n.Fields))
	for i, child := range n.Fields {
		child.Value = s.withPlaceholders(child.Value, f.Fields[child.Name], path, variable+"_"+variableName(child.Name))
		c.Fields[i] = child
	}
	return &c
}

// isReference reports whether a text refers to the environment.
func isReference(text string) bool {
	return strings.HasPrefix(text, "$") || strings.HasPrefix(text, "{vault://") || placeholder.In(text)
}

// notInVariables matches what the names of variables cannot have.
var notInVariables = regexp.MustCompile(`[^A-Za-z0-9]+`)

// variableName returns a text as the name of a variable.
func variableName(text string) string {
	return strings.ToUpper(notInVariables.ReplaceAllString(text, "_"))
}

// secretText returns what a Secret holds under a key.
func secretText(secret *tree.Node, key string) (string, bool) {
	if n := secret.At("stringData", key); n != nil {
		return n.Text, n.Kind == tree.String
	}
	n := secret.At("data", key)
	if n == nil {
		return "", false
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(n.Text))
	return string(text), err == nil
}
