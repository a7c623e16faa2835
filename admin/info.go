package admin

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
)

// kongVersion is the version of Kong whose API this is, for clients that look at it.
const kongVersion = "3.16.0"

// information answers requests for what is not a collection of entities.
type information struct {
	api  *API
	live Live
}

func (h *information) snapshot() *snapshot { return h.api.store.snapshot() }

// root answers as Kong's "/" does, as far as it applies.
func (h *information) root(*request) (response, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	database := "file"
	if h.api.ReadOnly() {
		database = "off"
	}
	available := object{}
	for _, name := range h.kind().pluginNames() {
		available[name] = object{"version": kongVersion}
	}
	return ok(object{
		"version": kongVersion, "edition": "semlb", "tagline": "semlb speaks Kong's Admin API", "hostname": host, "node_id": h.api.nodeID,
		"plugins": object{
			"available_on_server": available,
			"enabled_in_cluster":  h.used(),
		},
		"configuration": object{"database": database, "admin_listen": []any{h.api.options.Listen}},
	})
}

func (h *information) status(*request) (response, error) {
	s := h.snapshot()
	count := object{}
	for _, k := range s.state.kinds {
		count[k.path] = len(s.state.collections[k.name].byID)
	}
	// Kong has no field for this: its changes are in force at once.
	configuration := object{"refused": nil}
	if err := h.live.Refused(); err != nil {
		configuration["refused"] = err.Error()
	}
	return ok(object{
		"database": object{"reachable": true}, "configuration_hash": s.hash, "configuration": configuration, "entities": count,
	})
}

func (h *information) enabled(*request) (response, error) {
	return ok(object{"enabled_plugins": h.kind().pluginNames()})
}

// kind is that of plugins.
func (h *information) kind() *kind { return h.api.store.kinds.named(plugins) }

// used returns the names of the plugins that there are, in alphabetical order.
func (h *information) used() []string {
	names := []string{}
	for _, e := range h.snapshot().state.all(plugins) {
		names = append(names, e.text("name"))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// export answers with the state as a decK file.
func (h *information) export(r *request) (response, error) {
	if r.URL.Query().Has("export") && !r.reveals() {
		return response{}, plainError(http.StatusForbidden, "An export needs the token, and export=secrets")
	}
	s := h.snapshot().state
	if !r.reveals() {
		s = s.redact()
	}
	return ok(json.RawMessage(s.render().data))
}

// tags lists which entities have tags, or the tag in the path.
func (h *information) tags(r *request) (response, error) {
	s := h.snapshot().state
	wanted := r.PathValue("tag")
	data := []any{}
	for _, k := range s.kinds {
		for _, e := range s.all(k.name) {
			list, _ := e.fields["tags"].([]any)
			for _, tag := range list {
				if wanted == "" || tag == wanted {
					data = append(data, object{"entity_name": k.name, "entity_id": e.id(), "tag": tag})
				}
			}
		}
	}
	// There is one page: the size of the state bounds it.
	return ok(r.page(data, ""))
}
