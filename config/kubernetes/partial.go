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

// bindAll binds the plugins that resources with annotations alone name, and those of partial
// documents, instead of those that the resources themselves name. It is called when all
// resources are known.
func (r partialReader) bindAll() {
	for _, n := range r.bare {
		r.bindEach(n)
	}
	replaced := map[bound]bool{}
	for _, p := range r.partials {
		to, given := r.boundTo(p.root), p.root.At("metadata", "annotations").Get(annotationPlugins)
		switch before := r.bindings.named[to[0]]; {
		case before == nil && given.Text == "":
			r.Warn(given.Pos, "", "an annotation that is not in the files is not taken away")
		case before != nil && !replaced[to[0]] && !p.overwrites && before.Text != given.Text:
			r.Problem(given.Pos, "", "got an annotation that is there with another value: kubectl changes it with --overwrite only")
		}
		for _, b := range to {
			replaced[b] = true
		}
	}
	r.bindings.all = slices.DeleteFunc(r.bindings.all, func(b binding) bool {
		return b.path == annotationsPath && replaced[bound{b.kind, b.entity}]
	})
	for _, p := range r.partials {
		r.bindEach(p.root)
	}
}

// bindEach binds the plugins that a document names to what it is about.
func (r partialReader) bindEach(n *tree.Node) {
	for _, to := range r.boundTo(n) {
		r.bind(n, to.kind, to.entity)
	}
}

// boundTo returns the entities that a document is about: an Ingress and an HTTPRoute may be
// several routes. There is at least one.
func (r partialReader) boundTo(n *tree.Node) []bound {
	of, key := n.Get("kind").Str(), keyOf(n)
	kind, names := entityKinds[of], []string{key.String()}
	switch kind {
	case config.KindConsumerGroup:
		names = []string{key.name}
	case config.KindConsumer:
		names = []string{r.consumerOf(key)}
	case config.KindRoute:
		if made := r.made[resourceKey{of, key}]; made != nil {
			names = made
		}
	}
	all := make([]bound, len(names))
	for i, name := range names {
		all[i] = bound{kind, name}
	}
	return all
}

// consumerOf returns the name of the consumer that a resource is.
func (r partialReader) consumerOf(key objectKey) string {
	for _, c := range r.consumers {
		if keyOf(c) == key {
			return consumerName(c)
		}
	}
	return key.name
}
