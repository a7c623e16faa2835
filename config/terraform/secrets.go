package terraform

import (
	"strings"

	"semlb/config/placeholder"
	"semlb/config/schema"
	"semlb/config/tree"
)

// withoutSecrets returns a value in which, in a conversion, every credential that comes
// from a variable or is sensitive has become a variable, whose name is made of the path.
// One that the resource itself has as a literal is the author's to show.
func (y yielder) withoutSecrets(r *resource, f *schema.Field, n *tree.Node) *tree.Node {
	if !y.Converting() {
		return n
	}
	return f.Map(r.path(), n, func(path string, f *schema.Field, n *tree.Node) (*tree.Node, bool) {
		if f == nil || !f.Secret || n.Kind != tree.String || !n.Hidden || n.Broken || n.Text == "" || isReferenceText(n.Text) {
			return n, f != nil
		}
		name := strings.Trim(environmentName(strings.TrimPrefix(path, konnectPrefix)), "_")
		y.Warn(n.Pos, path, "the credential becomes the variable "+name)
		return &tree.Node{Kind: tree.String, Pos: n.Pos, Text: y.Placeholders.Variable(name), Hidden: true, Broken: true}, false
	})
}

// isReferenceText reports whether a text refers to a credential.
func isReferenceText(text string) bool {
	return strings.HasPrefix(text, "{vault://") || placeholder.In(text)
}
