package terraform

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

// write returns a resource for each entity and each instance, and the variables they
// use. Resources refer to each other.
func write(out *format.Output) ([]byte, error) {
	if err := out.RequireDirect(Name); err != nil {
		return nil, err
	}
	out.DisableUnbound()
	out.AddHosts()
	w := writer{Output: out, module: newHCL(out.Placeholders), labels: map[target]string{}, taken: map[target]bool{}, plugins: map[string]int{}}
	for _, e := range out.Entities {
		w.labels[target{e.Kind, e.Name}] = w.label(e.Kind, e.Name)
	}
	for _, e := range out.Entities {
		if err := w.entity(e); err != nil {
			return nil, err
		}
	}
	for _, p := range out.Plugins {
		w.plugin(p)
	}
	return w.module.bytes(), nil
}

// target is an entity, or a resource of a type.
type target struct{ kind, name string }

// writer writes resources.
type writer struct {
	*format.Output
	module *hclFile
	// labels are those of the entities' resources; taken are those that a resource of a
	// type has.
	labels map[target]string
	taken  map[target]bool
	// plugins counts those of a name.
	plugins map[string]int
}

// notInLabels matches what the labels of resources cannot have.
var notInLabels = regexp.MustCompile(`[^a-z0-9_]+`)

// label returns a label that is like a name, and that no other resource of the type has.
func (w *writer) label(kind, like string) string {
	base := strings.Trim(notInLabels.ReplaceAllString(strings.ToLower(like), "_"), "_")
	if base == "" || base[0] >= '0' && base[0] <= '9' {
		base = kind + "_" + base
	}
	label := base
	for i := 2; w.taken[target{kind, label}]; i++ {
		label = fmt.Sprintf("%s_%d", base, i)
	}
	w.taken[target{kind, label}] = true
	return label
}

// reference returns a reference to an entity, as the provider takes it.
func (w *writer) reference(kind, name string) *tree.Node {
	return tree.NewObject("id", w.id(kind, name))
}

// id returns the id of an entity: that of its resource, if it has one.
func (w *writer) id(kind, name string) *tree.Node {
	if label, ok := w.labels[target{kind, name}]; ok {
		return w.module.reference(konnectPrefix + kind + "." + label + ".id")
	}
	return tree.NewString(name)
}

func (w *writer) entity(e format.Entity) error {
	n, err := withoutURL(e)
	if err != nil {
		return err
	}
	if e.Service != "" {
		n = n.With("service", w.reference(config.KindService, e.Service))
	}
	for _, kind := range format.Credentials {
		n = n.Without(kind.List)
	}
	label := w.labels[target{e.Kind, e.Name}]
	w.module.resource(e.Kind, label, n)
	for _, kind := range format.Credentials {
		resource := strings.ReplaceAll(kind.Kind, "-", "_")
		for _, credential := range e.Node.Get(kind.List).Elements() {
			n := credential.Without("created_at").With("consumer_id", w.id(config.KindConsumer, e.Name))
			w.module.resource(resource, w.label(resource, label), n)
		}
	}
	for _, g := range e.Groups {
		member := tree.NewObject("consumer_id", w.id(config.KindConsumer, e.Name), "consumer_group_id", w.id(config.KindConsumerGroup, g))
		w.module.resource(memberType, w.label("member", label+"_"+g), member)
	}
	return nil
}

// defaultPorts are the ports of URLs without one, where that is not 80.
var defaultPorts = map[string]string{"https": "443", "grpcs": "443"}

// withoutURL returns a service with its URL in parts: the provider has no attribute
// for the whole.
func withoutURL(e format.Entity) (*tree.Node, error) {
	whole := e.Node.Get("url")
	if e.Kind != config.KindService || whole == nil {
		return e.Node, nil
	}
	u, err := url.Parse(whole.Text)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("convert to terraform: the url of service %s cannot be taken apart: write protocol, host, port and path", report.Quote(e.Name))
	}
	port := &tree.Node{Kind: tree.Int, Text: cmp.Or(u.Port(), defaultPorts[u.Scheme], "80")}
	n := e.Node.Without("url").With("protocol", tree.NewString(u.Scheme)).With("host", tree.NewString(u.Hostname())).With("port", port)
	if u.Path != "" {
		n = n.With("path", tree.NewString(u.Path))
	}
	return n, nil
}

// plugin writes a plugin.
func (w *writer) plugin(p format.Plugin) {
	name := p.Node.Get("name").Str()
	label := strings.ReplaceAll(name, "-", "_")
	if w.plugins[name]++; w.plugins[name] > 1 {
		label = fmt.Sprintf("%s_%d", label, w.plugins[name])
	}
	w.extensions(w.Tables.Named(name), "", p.Node)
	w.module.resource(typeOf(name), label, p.Body(w.reference).Without("name", "run_on", "created_at", "updated_at"))
}

// extensions warns of settings that Konnect's provider does not have.
func (w *writer) extensions(f *schema.Field, path string, n *tree.Node) {
	if f == nil || n == nil {
		return
	}
	if f.Extension && n.Kind != tree.Null {
		w.Warn("%s is an extension of semlb, which Konnect's Terraform provider does not support", path)
	}
	for _, child := range n.Fields {
		w.extensions(f.Fields[child.Name], report.Join(path, child.Name), child.Value)
	}
	for _, item := range n.Items {
		w.extensions(f.Elements, path+"[]", item)
	}
}
