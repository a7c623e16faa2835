package terraform

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/tree"
)

// Finish yields the entities and the plugins that the resources are.
func (r *reader) Finish() {
	if len(r.order) == 0 {
		return
	}
	y := yielder{newEvaluator(r.Input, r.module), format.Owned{}}
	for _, res := range r.order {
		if kind, ok := credentialOf(res.kind); ok {
			y.credential(res, kind)
		}
	}
	for _, kind := range resourceTypes {
		for _, res := range r.order {
			if res.kind == kind {
				y.yield(res)
			}
		}
	}
	for _, res := range r.order {
		if name := y.pluginOf(res); name != nil {
			y.plugin(res, name)
		}
	}
}

// yielder turns resources into entities and plugins.
type yielder struct {
	*evaluator
	owned format.Owned
}

// credential notes a credential of a consumer.
func (y yielder) credential(r *resource, kind format.Credential) {
	n := y.body(r)
	f := y.Tables.Entities[config.KindConsumer].Fields[kind.List].Elements
	y.owned.Add(n.Get("consumer_id").Str(), kind.List, y.withoutSecrets(r, f, f.Converted(n.Without("consumer_id"))))
}

// names are the fields that an entity of a kind is called by. One with none of them is
// called by its label.
var names = map[string][]string{
	config.KindService:       {"name", "id"},
	config.KindRoute:         {"name", "id"},
	config.KindConsumer:      {"username", "custom_id", "id"},
	config.KindConsumerGroup: {"name"},
}

// yield adds what a resource is.
func (y yielder) yield(r *resource) {
	switch {
	case r.kind == memberType:
		n := y.body(r)
		y.AddMember(n.Get("consumer_id").Str(), n.Get("consumer_group_id").Str())
	case r.kind == vaultType:
		y.AddEntity(format.KindVault, r.path(), y.parsedConfig(r))
	case names[r.kind] != nil:
		n := y.entity(r)
		if r.kind == config.KindConsumer {
			n = y.owned.Given(n, y.identity(r))
		}
		y.AddEntity(r.kind, r.path(), n)
	}
}

// pluginOf returns the name of the plugin that a resource is, or nil if it is none that is
// read.
func (y yielder) pluginOf(r *resource) *tree.Node {
	if name, ok := pluginNamed(r.kind); ok {
		return format.StringAt(r.pos, name)
	}
	if r.kind != customType {
		return nil
	}
	name, path := y.attributes(r, "name").Get("name"), report.Join(r.path(), "name")
	switch {
	case name == nil:
		y.Want(r.pos, path, "nothing", "the name of a plugin")
		return nil
	case name.Broken:
		return nil
	case name.Kind != tree.String:
		y.Want(name.Pos, path, name.Kind.Article(), "the name of a plugin")
		return nil
	case y.SkipsPlugin(name, path):
		return nil
	}
	return name
}

// plugin adds a plugin. Of one that is not served only its scope is of interest.
func (y yielder) plugin(r *resource, name *tree.Node) {
	f, n := y.Tables.Named(name.Text), (*tree.Node)(nil)
	switch {
	case f == nil:
		n = y.attributes(r, append(config.ScopeParts[:], "enabled")...)
	case r.kind == customType:
		n = y.withoutSecrets(r, f, f.Converted(y.parsedConfig(r)))
	default:
		n = y.withoutSecrets(r, f, f.Converted(y.body(r)))
	}
	y.AddPlugin(r.path(), n.With("name", name), config.Scope{})
}

// parsedConfig returns the attributes of a resource whose config the provider takes as JSON
// in a text.
func (y yielder) parsedConfig(r *resource) *tree.Node {
	n := y.body(r)
	settings := n.Get("config")
	if settings == nil || settings.Kind != tree.String || settings.Broken {
		return n
	}
	parsed, faults := tree.NewDocument(r.file.name, []byte(settings.Text)).ParseJSON()
	if faults != nil {
		y.Want(settings.Pos, report.Join(r.path(), "config"), "a text that is no JSON", "jsonencode({…})")
		return n.Without("config")
	}
	return n.With("config", parsed.Concealed(settings.Pos))
}

// entity returns an entity.
func (y yielder) entity(r *resource) *tree.Node {
	n := y.Tables.Entities[r.kind].Converted(y.body(r))
	if slices.ContainsFunc(names[r.kind], n.Has) {
		return n
	}
	return n.With(names[r.kind][0], format.StringAt(n.Pos, r.label))
}

var (
	// metaBlocks say how Terraform makes a resource.
	metaBlocks = []string{"lifecycle", "timeouts", "provisioner", "connection"}
	// metaAttributes say where it does.
	metaAttributes = []string{"control_plane_id", "workspace", "depends_on", "provider"}
)

// body returns the attributes of a resource as an object, without those that say
// where and how Terraform makes it.
func (y yielder) body(r *resource) *tree.Node {
	for _, b := range r.body.Blocks {
		if !slices.Contains(metaBlocks, b.Type) {
			name := shownName(b.Type)
			y.Problem(r.file.position(b.TypeRange), report.Join(r.path(), name), "got a block, want an attribute: %s = …", name)
		}
	}
	return y.attributes(r, slices.DeleteFunc(inOrder(r.body.Attributes), func(name string) bool {
		return slices.Contains(metaAttributes, name)
	})...)
}

// attributes returns those attributes of a resource that it has of a list, as an object.
func (y yielder) attributes(r *resource, names ...string) *tree.Node {
	n := &tree.Node{Kind: tree.Object, Pos: r.pos}
	for _, name := range names {
		a := r.body.Attributes[name]
		if a == nil {
			continue
		}
		value := y.tree(location{r.file, report.Join(r.path(), name)}, a.Expr)
		n.Fields = append(n.Fields, tree.Field{Name: name, Pos: r.file.position(a.NameRange), Value: value})
	}
	return y.charged(location{r.file, r.path()}, n)
}

// charged returns an object, unless all that are used come to more than the bounds.
func (y yielder) charged(at location, n *tree.Node) *tree.Node {
	err := n.Seal()
	if within := y.Charge(n); err == nil && !within {
		err = fmt.Errorf("got more than %d values, local values counted as often as they are used", tree.MaxValues)
	}
	if err != nil {
		y.Problem(n.Pos, at.path, "%s", err)
		return &tree.Node{Kind: tree.Object, Pos: n.Pos, Broken: true}
	}
	return n
}

// inOrder returns the names of attributes in the order of the file.
func inOrder(attributes hclsyntax.Attributes) []string {
	names := slices.Collect(maps.Keys(attributes))
	slices.SortFunc(names, func(a, b string) int {
		return attributes[a].NameRange.Start.Byte - attributes[b].NameRange.Start.Byte
	})
	return names
}
