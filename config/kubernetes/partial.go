package kubernetes

import (
	"slices"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/tree"
)

// partialReader reads partial documents.
type partialReader struct{ *reader }

// partial adds annotations to a resource that is known otherwise, or that only the cluster
// has.
type partial struct {
	root *tree.Node
	// overwrites is set where the plugins may be others than those that the resource itself
	// names.
	overwrites bool
}

// note notes what a document adds to a resource.
func (r partialReader) note(d format.Document) {
	r.checkAnnotations(d.Root)
	r.checkPartial(d.Root)
	if d.Root.At("metadata", "annotations").Has(annotationPlugins) {
		r.partials = append(r.partials, partial{d.Root, d.Overwrites[annotationPlugins]})
	}
}

// bindAll binds the plugins that partial documents name, instead of those that the
// resources themselves name. It is called when all resources are known.
func (r partialReader) bindAll() {
	replaced := map[bound]bool{}
	for _, p := range r.partials {
		to, given := r.boundTo(p.root), p.root.At("metadata", "annotations").Get(annotationPlugins)
		switch before := r.bindings.named[to]; {
		case before == nil && given.Text == "":
			r.Warn(given.Pos, "", "an annotation that is not in the files is not taken away")
		case before != nil && !replaced[to] && !p.overwrites && before.Text != given.Text:
			r.Problem(given.Pos, "", "got an annotation that is there with another value: kubectl changes it with --overwrite only")
		}
		replaced[to] = true
	}
	r.bindings.all = slices.DeleteFunc(r.bindings.all, func(b binding) bool {
		return b.path == annotationsPath && replaced[bound{b.kind, b.entity}]
	})
	for _, p := range r.partials {
		to := r.boundTo(p.root)
		r.bind(p.root, to.kind, to.entity)
	}
}

// boundTo returns the entity that a partial document is about.
func (r partialReader) boundTo(n *tree.Node) bound {
	kind, key := entityKinds[n.Get("kind").Str()], keyOf(n)
	switch kind {
	case config.KindConsumerGroup:
		return bound{kind, key.name}
	case config.KindConsumer:
		for _, c := range r.consumers {
			if keyOf(c) == key {
				return bound{kind, consumerName(c)}
			}
		}
		return bound{kind, key.name}
	default:
		return bound{kind, key.String()}
	}
}
