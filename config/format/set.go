package format

import (
	"semlb/config"
	"semlb/config/tree"
)

// The kinds of an [Item] that is a plugin, and of one that is a vault: a name by which
// references find the environment.
const (
	KindPlugin = "plugin"
	KindVault  = "vault"
)

// Set is what readers yield.
type Set struct {
	// Items are in the order in which they were read.
	Items   []Item
	Members []Member
	// Blocks are settings that plugins name with "_config", by their names.
	Blocks map[string]*tree.Node
}

// Item is a plugin or an entity, as a decK file has it: entities may have plugins, and
// services routes, within them. Nothing of it has been checked.
type Item struct {
	// Kind is KindPlugin, KindVault, or one of the kinds of package config.
	Kind string
	// Path is what faults call the item, such as "services[0]".
	Path string
	Node *tree.Node
	// Scope is what a plugin is nested in, and so applies to. Of a route it is the service
	// that the route is nested in.
	Scope config.Scope
	// Missing is set where something that may be a plugin that guards is not in the files. The
	// node has only a position.
	Missing *Missing
	// Unbound is set for a plugin that is not attached to anything: it is checked, and never
	// runs.
	Unbound *Resource
}

// Missing is something that a configuration refers to, that is not in the files and that
// may be a plugin that guards or have one.
type Missing struct {
	// Text says what it is, and what refers to it, as the start of a sentence.
	Text string
	// Like completes Text with what may be meant, or is empty.
	Like string
	// Remedy is what the author of the files can do, such as "add it".
	Remedy string
	// Name is what the flag that leaves it out calls it; empty where it must not be seen.
	Name string
}

// Member puts a consumer into a group. Both are names or ids.
type Member struct{ Consumer, Group string }

// Resource names a Kubernetes resource.
type Resource struct {
	// Kind is KongPlugin or KongClusterPlugin, which has no namespace.
	Kind, Namespace, Name string
	// Shown is the quoted name for messages.
	Shown string
}

// AddEntity adds an entity.
func (s *Set) AddEntity(kind, path string, n *tree.Node) {
	s.Items = append(s.Items, Item{Kind: kind, Path: path, Node: n})
}

// AddPlugin adds a plugin that is nested in the entities of a scope.
func (s *Set) AddPlugin(path string, n *tree.Node, scope config.Scope) {
	s.Items = append(s.Items, Item{Kind: KindPlugin, Path: path, Node: n, Scope: scope})
}

// AddMember puts a consumer into a group.
func (s *Set) AddMember(consumer, group string) {
	s.Members = append(s.Members, Member{Consumer: consumer, Group: group})
}
