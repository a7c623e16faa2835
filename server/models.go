package server

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/record"
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

// asksForModels reports whether this is a request of OpenAI's models API, and for which
// model; "" is for the list.
func (x *exchange) asksForModels() (id string, asks bool) {
	if method := x.header(":method"); method != http.MethodGet && method != http.MethodHead {
		return "", false
	}
	return x.namesModels()
}

// namesModels reports whether the path is one of OpenAI's models API.
func (x *exchange) namesModels() (id string, is bool) {
	path := x.path() + "/"
	_, id, is = strings.Cut(path, "/v1/models/")
	if !is { // as behind the path of a route
		_, id, is = strings.Cut(path, "/models/")
	}
	id = strings.Trim(id, "/")
	if plain, err := url.PathUnescape(id); err == nil {
		id = plain
	}
	return id, is
}

// models answers a request of the models API.
func (p *planner) models(x *exchange, instance *Instance, id string) *extprocv3.ProcessingResponse {
	models := instance.models()
	if id == "" {
		list := modelList{Object: "list", Data: make([]model, 0, len(models))}
		for _, name := range slices.Sorted(maps.Keys(models)) {
			list.Data = append(list.Data, models[name])
		}
		return p.answer(x, jsonOf(list), record.Answered{Status: http.StatusOK, Code: codeModels})
	}
	if m, found := models[id]; found {
		return p.answer(x, jsonOf(m), record.Answered{Status: http.StatusOK, Code: codeModels})
	}
	body := wire.ErrorBody("There is no such model; GET /v1/models lists all.", "invalid_request_error", codeModelNotFound)
	return p.answer(x, body, record.Answered{Status: http.StatusNotFound, Code: codeModelNotFound, Cause: record.ByClient})
}

// model and modelList are as the OpenAI API writes them.
type (
	model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
	}
	modelList struct {
		Object string  `json:"object"`
		Data   []model `json:"data"`
	}
)

// models are the models of an instance by name. A target without a model of its own takes
// whatever a request names, and one with a template has no name for it.
func (i *Instance) models() map[string]model {
	byName := make(map[string]model)
	for _, t := range i.Targets {
		if t.ModelByRequest() {
			continue
		}
		byName[t.Model] = model{ID: t.Model, Object: "model", OwnedBy: t.Provider}
	}
	delete(byName, "")
	return byName
}

// jsonOf is a value of texts and numbers as JSON.
func jsonOf(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil { // texts and numbers always marshal
		return wire.ErrorBody("The models could not be listed.", "server_error", codeInternalError)
	}
	return body
}
