package deck

import (
	"regexp"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/tree"
)

// newestVersion is the version of files that are written.
const newestVersion = "3.0"

// olderVersions are those in which a path of a route is a regular expression if it looks
// like one. In newer ones it is if it starts with "~".
var olderVersions = []string{"1.1", "2.1"}

// plainPath matches the paths that older versions take literally.
var plainPath = regexp.MustCompile(`^[a-zA-Z0-9._~/%-]*$`)

// withRegexPaths returns a service or a route of an older version in which paths that are
// regular expressions start with "~".
func withRegexPaths(kind string, n *tree.Node) *tree.Node {
	switch kind {
	case config.KindService:
		return replaceItems(n, "routes", func(route *tree.Node) *tree.Node { return withRegexPaths(config.KindRoute, route) })
	case config.KindRoute:
		return replaceItems(n, "paths", func(path *tree.Node) *tree.Node {
			if path.Kind != tree.String || path.Broken || plainPath.MatchString(path.Text) || strings.HasPrefix(path.Text, "~") {
				return path
			}
			return path.WithText("~" + path.Text)
		})
	default:
		return n
	}
}

// replaceItems returns an object in which a function has replaced the items of a list.
func replaceItems(n *tree.Node, list string, replace func(*tree.Node) *tree.Node) *tree.Node {
	old := n.Get(list)
	if old == nil || old.Kind != tree.List {
		return n
	}
	c := *old
	c.Items = make([]*tree.Node, len(old.Items))
	for i, item := range old.Items {
		c.Items[i] = replace(item)
	}
	return n.With(list, &c)
}

// remarks are fields that any entity may have and that say nothing.
var remarks = []string{"_comment", "_ignore"}

// withoutRemarks returns an entity without remarks, in what is nested in it too. What a
// plugin is configured with is left as it is.
func withoutRemarks(n *tree.Node) *tree.Node {
	if n.Kind != tree.Object {
		return n
	}
	if slices.ContainsFunc(remarks, n.Has) {
		n = n.Without(remarks...)
	}
	for _, f := range n.Fields {
		if f.Value.Kind == tree.List && slices.ContainsFunc(f.Value.Items, func(item *tree.Node) bool { return item.Kind == tree.Object }) {
			n = replaceItems(n, f.Name, withoutRemarks)
		}
	}
	return n
}
