package admin

import (
	"maps"

	"semlb/config/schema"
)

// view shows the entities of a snapshot to a client.
type view struct {
	snapshot *snapshot
	// reveal shows credentials.
	reveal bool
}

// entity returns an entity with every field of its kind. Those that are not set have
// their defaults.
func (v view) entity(e *entity) object {
	out := maps.Clone(e.kind.defaults)
	maps.Copy(out, e.fields)
	if e.kind.name == plugins {
		out["config"] = v.settings(e)
	}
	if v.reveal {
		return out
	}
	shown, _ := redact(e.described(), out).(object)
	return shown
}

// settings returns those of a plugin.
func (v view) settings(e *entity) any {
	base := any(defaultSettings(e.described().Fields["config"]))
	if p := v.snapshot.plugins[e.id()]; p != nil {
		base = schema.Encode(p.Settings)
	}
	return overlay(base, e.fields["config"])
}

// entities returns a list of entities.
func (v view) entities(list []*entity) []any {
	all := make([]any, len(list))
	for i, e := range list {
		all[i] = v.entity(e)
	}
	return all
}

// single returns an entity as the answer to a request for it alone: a group comes with
// its members.
func (v view) single(e *entity) object {
	if e.kind.name != groups {
		return v.entity(e)
	}
	return object{"consumer_group": v.entity(e), "consumers": v.entities(v.snapshot.state.members(e))}
}
