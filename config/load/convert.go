package load

import (
	"errors"
	"fmt"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/placeholder"
	"semlb/config/schema"
	"semlb/config/tree"
	"semlb/wire"
)

// Convert returns the instances and entities of sources in another format, which is one
// of [Writable]. References to the environment stay references, in the way of the format:
// no variable is looked up, and what a Kubernetes secret holds becomes a variable. What
// a source holds in clear text otherwise is in clear text in the result. What is
// wrong with the sources is an error as it is for [Sources]. What a format cannot say
// is an error or, where the meaning stays, a warning.
func Convert(sources []Source, to string, opts Options) (text []byte, warnings []config.Warning, err error) {
	err = config.Guard(func() (err error) {
		text, warnings, err = convert(sources, to, opts)
		return err
	})
	return text, warnings, err
}

func convert(sources []Source, to string, opts Options) ([]byte, []config.Warning, error) {
	target, err := find(to, Writable())
	if err != nil {
		return nil, nil, fmt.Errorf("convert to %w", err)
	}
	for _, source := range sources {
		if placeholder.Reserved(source.Data) {
			return nil, nil, fmt.Errorf("convert %s: it holds characters of the private use area", source.Name)
		}
	}
	opts.Env = func(string) (string, bool) { return "0", true }
	l, err := newLoader(opts)
	if err != nil {
		return nil, nil, err
	}
	l.Placeholders = &placeholder.Set{}
	l.output = &format.Output{Placeholders: l.Placeholders, Tables: l.Tables}
	if err := l.load(sources); err != nil {
		return nil, l.Warnings(), err
	}
	out := l.output
	if len(out.Plugins)+len(out.Entities) == 0 {
		return nil, l.Warnings(), errors.New("convert: there is nothing to convert")
	}
	l.orderEntities()
	text, err := target.Write(out)
	if err != nil {
		err = errors.New(wire.MaskKeys(err.Error()))
	}
	return text, append(l.Warnings(), out.Warnings...), err
}

// keepPlugin keeps a checked plugin for a conversion.
func (l *loader) keepPlugin(n *tree.Node, scope config.Scope, unbound *format.Resource) {
	f := l.Tables.Named(n.Get("name").Str())
	n = l.instances.distinct(f.Normal(n))
	l.expose(f, n)
	l.output.Plugins = append(l.output.Plugins, format.Plugin{Node: n, Scope: scope, Unbound: unbound})
}

// keepEntity keeps a checked entity, if this is a conversion.
func (l *loader) keepEntity(e format.Entity) {
	if !l.Converting() {
		return
	}
	f := l.Tables.Entities[e.Kind]
	l.expose(f, e.Node)
	e.Node = f.Normal(e.Node).Without("plugins", "routes", "service", "groups", "consumers", "created_at", "updated_at")
	l.output.Entities = append(l.output.Entities, e)
}

// expose notes which placeholders are in fields that are no secrets.
func (l *loader) expose(f *schema.Field, n *tree.Node) {
	f.Map("", n, func(_ string, f *schema.Field, n *tree.Node) (*tree.Node, bool) {
		if f != nil && n.Kind == tree.String && !f.Secret {
			l.Placeholders.Expose(n.Text, f.Kind != tree.String)
		}
		return n, f != nil
	})
}

// orderEntities puts those entities first that others refer to, and fills in what they
// refer to by the names that stand for it.
func (l *loader) orderEntities() {
	names := config.NewNames(&l.config)
	groups := map[string][]string{}
	for _, c := range l.config.Consumers {
		groups[c.Called()] = c.Groups
	}
	var ordered []format.Entity
	for _, kind := range []string{config.KindService, config.KindRoute, config.KindConsumerGroup, config.KindConsumer} {
		for _, e := range l.output.Entities {
			if e.Kind != kind {
				continue
			}
			e.Service = names.Of(config.KindService, e.Service)
			if kind == config.KindConsumer {
				e.Groups = groups[e.Name]
			}
			ordered = append(ordered, e)
		}
	}
	l.output.Entities = ordered
}
