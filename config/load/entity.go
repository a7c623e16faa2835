package load

import (
	"cmp"
	"slices"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/rules"
	"semlb/config/schema"
	"semlb/config/tree"
)

// item checks what a reader yielded. What is within a faulty entity is checked too.
func (l *loader) item(item format.Item) {
	switch item.Kind {
	case format.KindPlugin:
		l.foundPlugin(item)
	case config.KindService:
		l.service(item.Path, item.Node)
	case config.KindRoute:
		l.route(item.Path, item.Node, item.Scope.Service)
	case config.KindConsumer:
		l.consumer(item.Path, item.Node)
	case config.KindConsumerGroup:
		l.consumerGroup(item.Path, item.Node)
	}
}

// decode checks an entity, fills what into points to from it, and returns what was
// checked; nil where it is faulty.
func (l *loader) decode(kind, path string, n *tree.Node, into any) *tree.Node {
	before, f := l.Count(), l.Tables.Entities[kind]
	n = resolver{l.Input, l.vaults}.resolve(path, f, n)
	schema.Check(&l.Report, path, f, n)
	schema.CheckSupport(&l.Report, path, f, n)
	switch kind {
	case config.KindRoute:
		rules.Route(&l.Report, tree.NewCursor(path, n))
	case config.KindConsumer:
		l.consumers.Check(tree.NewCursor(path, n))
	}
	if l.Count() > before {
		return nil
	}
	f.Decode(n, into)
	return n
}

// register notes what an entity is called, and returns the first of its names, which
// stands for it. It is empty where the entity has no name, or another has one of them.
func (l *loader) register(kind, path string, pos config.Position, names ...string) string {
	called := cmp.Or(names...)
	if called == "" {
		l.Want(pos, path, "neither a name nor an id", "one of them")
		return ""
	}
	for _, name := range names {
		if first, taken := l.positions[alias{kind, name}]; taken && name != "" {
			l.Problem(pos, path, "got a second %s of the same name or id, first at %s", config.Spoken(kind), first)
			return ""
		}
	}
	for _, name := range names {
		l.positions[alias{kind, name}] = pos
	}
	return called
}

// service adds a service, its plugins and its routes.
func (l *loader) service(path string, n *tree.Node) {
	var s config.Service
	name := path
	if checked := l.decode(config.KindService, path, n, &s); checked != nil {
		if called := l.register(config.KindService, path, n.Pos, s.Name, s.ID); called != "" {
			name = called
			l.config.Services = append(l.config.Services, s)
			l.keepEntity(format.Entity{Kind: config.KindService, Name: name, Node: checked})
		}
	}
	l.pluginsIn(path, n, config.Scope{Service: name})
	for i, route := range l.ListOf(path, n, "routes") {
		l.route(report.Index(report.Join(path, "routes"), i), route, name)
	}
}

// route adds a route and its plugins. The service is the one around it, or empty.
func (l *loader) route(path string, n *tree.Node, service string) {
	r := config.Route{Service: service}
	name := path
	if checked := l.decode(config.KindRoute, path, n, &r); checked != nil {
		if called := l.register(config.KindRoute, path, n.Pos, r.Name, r.ID); called != "" {
			name = called
			if ref := n.Get("service"); ref != nil && service == "" {
				r.Service, _ = ref.Reference()
			}
			r.Headers = l.headers(report.Join(path, "headers"), n.Get("headers"))
			l.config.Routes = append(l.config.Routes, r)
			l.keepEntity(format.Entity{Kind: config.KindRoute, Name: name, Node: checked, Service: r.Service})
		}
	}
	l.pluginsIn(path, n, config.Scope{Route: name})
}

// headerValues describes the values of one header of a route.
var headerValues = &schema.Field{Kind: tree.List, MinLength: 1, Elements: &schema.Field{Kind: tree.String}}

// headers returns lists of strings by the names of headers.
func (l *loader) headers(path string, n *tree.Node) map[string][]string {
	if n == nil {
		return nil
	}
	all := make(map[string][]string, len(n.Fields))
	for _, f := range n.Fields {
		before := l.Count()
		schema.Check(&l.Report, report.Join(path, f.Shown()), headerValues, f.Value)
		if l.Count() > before {
			continue
		}
		for _, item := range f.Value.Items {
			all[f.Name] = append(all[f.Name], item.Text)
		}
	}
	return all
}

// consumer adds a consumer, its plugins and its groups.
func (l *loader) consumer(path string, n *tree.Node) {
	var c config.Consumer
	name := path
	if checked := l.decode(config.KindConsumer, path, n, &c); checked != nil {
		if called := l.register(config.KindConsumer, path, n.Pos, c.Username, c.ID, c.CustomID); called != "" {
			name = called
			l.config.Consumers = append(l.config.Consumers, c)
			l.keepEntity(format.Entity{Kind: config.KindConsumer, Name: name, Node: checked})
		}
	}
	l.pluginsIn(path, n, config.Scope{Consumer: name})
	for _, g := range n.Get("groups").Elements() {
		l.AddMember(name, nameIn(g))
	}
}

// consumerGroup adds a group, its plugins and its members.
func (l *loader) consumerGroup(path string, n *tree.Node) {
	var g config.ConsumerGroup
	name := path
	if checked := l.decode(config.KindConsumerGroup, path, n, &g); checked != nil {
		if l.register(config.KindConsumerGroup, path, n.Pos, g.Name, g.ID) != "" {
			name = g.Name
			l.config.ConsumerGroups = append(l.config.ConsumerGroups, g)
			l.keepEntity(format.Entity{Kind: config.KindConsumerGroup, Name: name, Node: checked})
		}
	}
	l.pluginsIn(path, n, config.Scope{ConsumerGroup: name})
	for _, c := range n.Get("consumers").Elements() {
		l.AddMember(nameIn(c), name)
	}
}

// nameIn returns what an element of a list of groups or of consumers calls an entity.
func nameIn(n *tree.Node) string {
	return cmp.Or(n.Get("name").Str(), n.Get("username").Str(), n.Get("id").Str(), n.Get("custom_id").Str())
}

// joinGroups puts consumers into their groups.
func (l *loader) joinGroups(names *config.Names) {
	groups := map[string][]string{}
	for _, m := range l.Members {
		c := names.Of(config.KindConsumer, m.Consumer)
		groups[c] = append(groups[c], names.Of(config.KindConsumerGroup, m.Group))
	}
	for i, c := range l.config.Consumers {
		list := groups[c.Called()]
		slices.Sort(list)
		l.config.Consumers[i].Groups = slices.Compact(list)
	}
}
