// Package deck reads and writes decK files.
package deck

import (
	"maps"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/placeholder"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

// Name is what users call the format.
const Name = "deck"

// Format describes decK files to the loader.
func Format() format.Format {
	return format.Format{
		Name:        Name,
		Description: "a decK file (plugins, services, routes, …)",
		Endings:     []string{".yaml", ".yml", ".json"},
		Recognise:   recognise,
		NewReader:   newReader,
		Write:       write,
		JSONSchema:  jsonSchema,
		Beside: &schema.Beside{
			Format:  "decK",
			Ignored: "other plugins, except those that guard; `" + strings.Join(unread(), "`, `") + "`",
			Refused: "unknown keys; filter chains, if an instance serves",
		},
	}
}

// keys are those of a decK file, and whether they are read or say nothing. The others
// hold nothing that ai-proxy-advanced needs.
var keys = map[string]bool{
	"_comment": true, "_format_version": true, "_ignore": true, "_info": true, "_konnect": true, "_plugin_configs": true, "_transform": true, "_workspace": true,
	"consumer_groups": true, "consumers": true, "plugins": true, "routes": true, "services": true, "vaults": true,

	"ca_certificates": false, "certificates": false, "custom_entities": false, filterChains: false,
	"key_sets": false, "keys": false, "licenses": false, "partials": false, "rbac_roles": false, "service_packages": false,
	"snis": false, "upstreams": false,
}

// filterChains are filters in WebAssembly, which may refuse requests.
const filterChains = "filter_chains"

// IsKey reports whether decK files have a key.
func IsKey(name string) bool {
	_, known := keys[name]
	return known
}

// unread returns the keys that are accepted and not read, in alphabetical order.
func unread() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(keys)), func(name string) bool { return keys[name] || name == filterChains })
}

// lists are the keys with entities, in the order in which they are read, and the kinds of
// these.
var lists = []struct{ key, kind string }{
	{"services", config.KindService},
	{"routes", config.KindRoute},
	{"consumers", config.KindConsumer},
	{"consumer_groups", config.KindConsumerGroup},
	{"vaults", format.KindVault},
}

// recognise takes everything that is not clearly something else, so that a misspelt key
// gets a message of its own.
func recognise(root *tree.Node) bool {
	if root.Kind != tree.Object || root.Empty() {
		return true
	}
	return slices.ContainsFunc(root.Fields, func(f tree.Field) bool {
		return IsKey(f.Name) || tree.Suggest(f, keys) != ""
	})
}

// reader reads decK files.
type reader struct {
	*format.Input
	// entities are the indexes of those that were yielded, and defaults what the files give
	// for their kinds.
	entities []int
	defaults map[string]*tree.Node
}

func newReader(in *format.Input) format.Reader {
	return &reader{Input: in, defaults: map[string]*tree.Node{}}
}

// Read yields the plugins and the entities of a file.
func (r *reader) Read(d format.Document) {
	root := d.Root
	if root.Kind != tree.Object {
		r.Want(root.Pos, "", root.Kind.Article(), "an object")
		return
	}
	for _, f := range schema.Unique(&r.Report, "", &schema.Field{}, root) {
		r.key(f)
	}
	old := slices.Contains(olderVersions, root.Get("_format_version").OrObject(root.Pos).Text)
	for i, n := range r.ListOf("", root, "plugins") {
		r.AddPlugin(report.Index("plugins", i), withoutRemarks(n), config.Scope{})
	}
	for _, list := range lists {
		for i, n := range r.ListOf("", root, list.key) {
			n = withoutRemarks(n)
			if old {
				n = withRegexPaths(list.kind, n)
			}
			r.entities = append(r.entities, len(r.Items))
			r.AddEntity(list.kind, report.Index(list.key, i), n)
		}
	}
}

// Finish fills in the defaults, which any of the files may give.
func (r *reader) Finish() {
	if len(r.defaults) == 0 {
		return
	}
	for _, i := range r.entities {
		item := &r.Items[i]
		item.Node = r.withDefaults(item.Kind, item.Path, item.Node)
	}
}

// key checks a key of a file.
func (r *reader) key(f tree.Field) {
	read, known := keys[f.Name]
	switch {
	case !known:
		r.Problem(f.Pos, f.Shown(), "unknown field%s", tree.Suggest(f, keys))
	case f.Name == filterChains && !f.Value.Empty():
		m := format.Missing{Text: "filter chains are not read", Remedy: "take them away", Name: filterChains}
		r.Miss(format.Item{Path: f.Shown(), Node: f.Value}, m, m.Name)
	case !read && !f.Value.Empty():
		r.Warn(f.Pos, f.Shown(), "ignored")
	case f.Name == "_format_version":
		r.formatVersion(f.Shown(), f.Value)
	case f.Name == "_info":
		r.info(f.Shown(), f.Value)
	case f.Name == "_plugin_configs":
		r.blocks(f.Shown(), f.Value)
	}
}

// formatVersion checks decK's own version.
func (r *reader) formatVersion(path string, n *tree.Node) {
	if n.Kind == tree.Null || n.Broken {
		return
	}
	scalar := n.Kind == tree.String || n.Kind == tree.Float
	if !scalar || n.Text != newestVersion && !slices.Contains(olderVersions, n.Text) {
		r.Want(n.Pos, path, schema.Show(n), strings.Join(olderVersions, ", ")+" or "+newestVersion)
	}
}

// blocks notes the settings that plugins share.
func (r *reader) blocks(path string, n *tree.Node) {
	if n.Kind != tree.Object {
		r.Want(n.Pos, path, n.Kind.Article(), "an object")
		return
	}
	for _, f := range schema.Unique(&r.Report, path, &schema.Field{}, n) {
		if f.Value.Kind != tree.Object {
			r.Want(f.Pos, report.Join(path, f.Shown()), f.Value.Kind.Article(), "an object")
			continue
		}
		r.Blocks[f.Name] = f.Value
	}
}

// write returns a decK file.
func write(out *format.Output) ([]byte, error) {
	out.DisableUnbound()
	found := map[string]*tree.Node{}
	add := func(key string, n *tree.Node) {
		if found[key] == nil {
			found[key] = tree.NewList()
		}
		found[key].Items = append(found[key].Items, n)
	}
	for _, e := range out.Entities {
		n := e.Node
		if e.Service != "" {
			n = n.With("service", out.Reference(config.KindService, e.Service))
		}
		if len(e.Groups) > 0 {
			n = n.With("groups", named(e.Groups))
		}
		add(e.Kind+"s", n)
	}
	for _, p := range out.Plugins {
		add("plugins", p.Body(func(_, name string) *tree.Node { return tree.NewString(name) }))
	}
	root := tree.NewObject("_format_version", tree.NewString(newestVersion))
	for _, key := range []string{"services", "routes", "consumer_groups", "consumers", "plugins"} {
		if found[key] != nil {
			root = root.With(key, found[key])
		}
	}
	text, err := tree.YAML(root)
	return []byte(out.Placeholders.Replace(string(text), placeholder.Placeholder.Deck)), err
}

// named returns a list of objects with names.
func named(names []string) *tree.Node {
	list := tree.NewList()
	for _, name := range names {
		list.Items = append(list.Items, tree.NewObject("name", tree.NewString(name)))
	}
	return list
}
