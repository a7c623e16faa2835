package load

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

// errRedacted is about what the Admin API shows in the place of a credential.
var errRedacted = errors.New("got " + report.Redacted + ", which stands for a credential: the Admin API exports it with ?export=secrets")

// resolver fills in references to the environment.
type resolver struct {
	*format.Input
	vaults vaults
}

// resolve returns a value with the secrets filled in that it refers to. They are hidden;
// one that is missing is a fault, and broken.
func (r resolver) resolve(path string, f *schema.Field, n *tree.Node) *tree.Node {
	return f.Map(path, n, func(path string, f *schema.Field, n *tree.Node) (*tree.Node, bool) {
		switch {
		case f == nil || f.FreeForm || n.Broken:
			return n, false
		case n.Kind == tree.String:
			return r.text(path, f, n), false
		default:
			return n, true
		}
	})
}

func (r resolver) text(path string, f *schema.Field, n *tree.Node) *tree.Node {
	var text string
	var err error
	switch {
	case r.Converting() && f.Vault && strings.HasPrefix(n.Text, vaultOpen):
		if text, err = r.converted(n); err == nil {
			kept := *n
			kept.Text, kept.Broken = text, true
			return &kept
		}
	case strings.Contains(n.Text, vaultOpen):
		text, err = r.fromVault(f, n.Text)
	case f.Secret && !n.Hidden && strings.Contains(n.Text, "$"):
		text, err = r.withVariables(n.Text)
	case f.Secret && strings.Contains(n.Text, report.Redacted): // or anyone would know the key
		err = errRedacted
	default:
		return n
	}
	if err != nil {
		var unset report.Unset
		if !r.AllowUnset || !errors.As(err, &unset) {
			r.Problem(n.Pos, path, "%s", err)
		}
		return &tree.Node{Kind: tree.String, Pos: n.Pos, Hidden: true, Broken: true}
	}
	return &tree.Node{Kind: tree.String, Pos: n.Pos, Text: text, Hidden: n.Hidden || text != n.Text}
}

var (
	word = regexp.MustCompile(`\S+`)
	// variableWord is a word that is a variable: $NAME, ${NAME} and, as a shell's quotes
	// leave it, '$NAME'.
	variableWord = regexp.MustCompile(`^(?:\$(\w+)|\$\{(\w+)\}|'\$(\w+)')$`)
)

// withVariables fills in the words of a text that are variables. A dollar sign within a
// word stays.
func (r resolver) withVariables(text string) (string, error) {
	var first error
	filled := word.ReplaceAllStringFunc(text, func(word string) string {
		m := variableWord.FindStringSubmatch(word)
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

// variable returns a variable, which must have a value. In a conversion it is a
// placeholder.
func (r resolver) variable(name string) (string, error) {
	if r.Converting() {
		return r.Placeholders.Variable(name), nil
	}
	switch value, ok := r.Env(name); {
	case !ok:
		return "", report.Unset(name)
	case value == "":
		shown := report.Shorten(name)
		return "", fmt.Errorf("%s is empty: export %s=…", shown, shown)
	default:
		return value, nil
	}
}
