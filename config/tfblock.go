package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// block notes a block.
func (t *terraform) block(file *tfFile, b *hclsyntax.Block) {
	pos := file.position(b.TypeRange)
	switch b.Type {
	case "terraform", "provider", "output", "moved", "removed", "import", "check":
		// They say nothing of what a gateway does.
	case "variable":
		if len(b.Labels) != 1 {
			t.want(pos, "variable", plural(len(b.Labels), "label"), "1")
			return
		}
		t.declaration(file, b)
	case "locals":
		for _, name := range slices.Sorted(maps.Keys(b.Body.Attributes)) {
			a := b.Body.Attributes[name]
			if first, twice := t.locals[name]; twice {
				t.problem(file.position(a.NameRange), "local."+name, "got the value twice, first at %s", first.pos)
				continue
			}
			t.locals[name] = &tfLocal{pos: file.position(a.NameRange), tfExpr: tfExpr{tfPlace{file, "local." + name}, a.Expr}}
		}
	case "resource":
		if len(b.Labels) != 2 {
			t.want(pos, "resource", plural(len(b.Labels), "label"), "2")
			return
		}
		t.resource(file, b)
	default:
		t.warn(pos, "", "block "+printable(strings.Join(append([]string{b.Type}, b.Labels...), " "))+" is not read")
	}
}

// declaration notes a variable's declaration.
func (t *terraform) declaration(file *tfFile, b *hclsyntax.Block) {
	v := t.declared(b.Labels[0], file, b.TypeRange)
	if v.declared {
		t.problem(file.position(b.TypeRange), "var."+b.Labels[0], "got the variable twice, first at %s", v.pos)
		return
	}
	v.pos, v.file, v.declared = file.position(b.TypeRange), file, true
	for name, a := range b.Body.Attributes {
		switch name {
		case "default":
			v.fallback = &tfExpr{tfPlace{file, "var." + b.Labels[0]}, a.Expr}
		case "sensitive":
			value, _ := a.Expr.Value(nil)
			value, _ = value.Unmark()
			v.sensitive = value.IsKnown() && !value.IsNull() && value.Type() == cty.Bool && value.True()
		case "type":
			if typ, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.Expr); !diags.HasErrors() {
				unmarkDefaults(defaults)
				v.typ, v.defaults = typ, defaults
			}
		}
	}
}

// resource notes a resource of Kong; others are named in a warning.
func (t *terraform) resource(file *tfFile, b *hclsyntax.Block) {
	pos := file.position(b.TypeRange)
	kind, isKong := kongType(b.Labels[0])
	switch {
	case kind == "control_plane", kind == "workspace":
		return
	case strings.HasPrefix(kind, "plugin_") && kind != "plugin_ai_proxy_advanced":
		t.warn(pos, "", "plugin "+printable(strings.ReplaceAll(strings.TrimPrefix(kind, "plugin_"), "_", "-"))+" is not run")
		return
	case !isKong || !slices.Contains(tfKinds, kind):
		t.warn(pos, "", "resource "+printable(strings.Join(b.Labels, "."))+" is not read")
		return
	}
	for _, name := range []string{"count", "for_each"} {
		if a := b.Body.Attributes[name]; a != nil {
			t.problem(file.position(a.NameRange), strings.Join(b.Labels, "."), "not supported yet: %s", name)
			return
		}
	}
	r := &tfResource{kind: kind, label: b.Labels[1], pos: pos, body: b.Body, file: file}
	key := kind + "." + r.label
	if first, twice := t.resources[key]; twice {
		t.problem(pos, strings.Join(b.Labels, "."), "got the resource twice, first at %s", first.pos)
		return
	}
	t.resources[key] = r
	t.order = append(t.order, r)
}

// kongType returns a resource's type without the prefix of Konnect's provider or of
// that for a Kong Gateway one runs oneself.
func kongType(name string) (kind string, ok bool) {
	for _, prefix := range []string{"konnect_gateway_", "kong-gateway_"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest, true
		}
	}
	return "", false
}

// tfKinds are the types that are read, in the order they are.
var tfKinds = []string{
	"service", "route", "consumer_group", "consumer", "consumer_group_member",
	"key_auth", "basic_auth", "jwt", "plugin_ai_proxy_advanced",
}

// path is what faults call a resource.
func (r *tfResource) path() string { return "konnect_gateway_" + r.kind + "." + r.label }

// bind turns the resources into entities and entries, when all of them are
// known.
func (t *terraform) bind() {
	if len(t.order) == 0 {
		return
	}
	t.evaluator = newEvaluator(t)
	credentials := map[string]map[string]*node{}
	for _, r := range t.order {
		list, ok := credentialLists[strings.ReplaceAll(r.kind, "_", "-")]
		if !ok {
			continue
		}
		n := t.body(r)
		owner := n.get("consumer_id").str()
		if credentials[owner] == nil {
			credentials[owner] = map[string]*node{}
		}
		all := orList(credentials[owner][list], r.pos)
		all.items = append(all.items, n.without("consumer_id"))
		credentials[owner][list] = all
	}
	for _, kind := range tfKinds {
		for _, r := range t.order {
			if r.kind == kind {
				t.bindResource(r, credentials)
			}
		}
	}
}

func orList(n *node, pos Position) *node {
	if n == nil {
		return &node{kind: kindList, pos: pos}
	}
	return n
}

func (t *terraform) bindResource(r *tfResource, credentials map[string]map[string]*node) {
	switch r.kind {
	case "service":
		t.service(r.path(), t.entity(r, "service", "name", "id"))
	case "route":
		t.route(r.path(), t.entity(r, "route", "name", "id"), "")
	case "consumer":
		n := t.entity(r, "consumer", "username", "custom_id", "id")
		lists := credentials[t.evaluator.identity(r)]
		for _, list := range slices.Sorted(maps.Keys(lists)) {
			n = n.with(list, converted(t.entities.fields["consumer"].fields[list], lists[list]))
		}
		t.consumer(r.path(), n)
	case "consumer_group":
		t.consumerGroup(r.path(), t.entity(r, "consumer_group", "name"))
	case "consumer_group_member":
		n := t.body(r)
		t.members = append(t.members, member{n.get("consumer_id").str(), n.get("consumer_group_id").str()})
	case "plugin_ai_proxy_advanced":
		n := converted(t.table, t.body(r))
		name := &node{kind: kindString, text: pluginName, pos: n.pos}
		t.entries = append(t.entries, entry{path: r.path(), n: n.with("name", name)})
	}
}

// entity returns an entity. One without any of the names is called by its label.
func (t *terraform) entity(r *tfResource, kind string, names ...string) *node {
	n := converted(t.entities.fields[kind], t.body(r))
	if !slices.ContainsFunc(names, func(name string) bool { return !absent(n, name) }) {
		n = n.with(names[0], &node{kind: kindString, text: r.label, pos: n.pos})
	}
	return n
}

// body returns the attributes of a resource as an object, without those that say
// where and how Terraform makes it.
func (t *terraform) body(r *tfResource) *node {
	n := &node{kind: kindObject, pos: r.pos}
	for _, b := range r.body.Blocks {
		if b.Type != "lifecycle" && b.Type != "timeouts" && b.Type != "provisioner" && b.Type != "connection" {
			t.problem(r.file.position(b.TypeRange), join(r.path(), printableName(b.Type)), "got a block, want an attribute: %s = …", printableName(b.Type))
		}
	}
	for _, name := range sortedByPlace(r.body.Attributes) {
		switch name {
		case "control_plane_id", "workspace", "depends_on", "provider":
			continue
		}
		a := r.body.Attributes[name]
		value := t.evaluator.term(tfPlace{r.file, join(r.path(), name)}, a.Expr)
		n.fields = append(n.fields, field{name: name, pos: r.file.position(a.NameRange), value: value})
	}
	return t.counted(tfPlace{r.file, r.path()}, n)
}

// counted returns an object, unless all that are used come to more than the bounds.
func (t *terraform) counted(at tfPlace, n *node) *node {
	err := n.seal()
	if t.values += n.size; err == nil && t.values > maxValues {
		err = fmt.Errorf("got more than %d values, local values counted as often as they are used", maxValues)
	}
	if err != nil {
		t.problem(n.pos, at.path, "%s", err)
		return &node{kind: kindObject, pos: n.pos, broken: true}
	}
	return n
}

func printableName(name string) string { return fieldName(&spec{}, field{name: name}) }

func sortedByPlace(attributes hclsyntax.Attributes) []string {
	names := slices.Collect(maps.Keys(attributes))
	slices.SortFunc(names, func(a, b string) int {
		return attributes[a].NameRange.Start.Byte - attributes[b].NameRange.Start.Byte
	})
	return names
}
