package server

import (
	"encoding/json"
	"maps"
	"slices"

	"semlb/wire"
)

// names are what people call the targets: provider and model.
func (i *Instance) names(ids []string) []string {
	names := make([]string, len(ids))
	for n, id := range ids {
		names[n] = i.Targets[id].Name()
	}
	return names
}

// modelList is the models of an instance as GET /v1/models of the OpenAI API lists
// them.
func (i *Instance) modelList() []byte {
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
	}
	byName := make(map[string]model)
	for _, t := range i.Targets {
		byName[t.Model] = model{ID: t.Model, Object: "model", OwnedBy: t.Provider}
	}
	delete(byName, "") // such a target takes whatever a request names
	list := struct {
		Object string  `json:"object"`
		Data   []model `json:"data"`
	}{"list", []model{}}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		list.Data = append(list.Data, byName[name])
	}
	body, err := json.Marshal(list)
	if err != nil { // strings always marshal
		return wire.ErrorBody("The models could not be listed.", "server_error", "internal_error")
	}
	return body
}
