package server

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"semlb/provider"
)

// operations are the paths of OpenAI's API behind /v1/, with the plugin's route type for
// each; "" if it has none.
var operations = map[string]string{
	"chat/completions": string(provider.Chat), "completions": string(provider.Completions), "responses": string(provider.Responses),
	"embeddings": "llm/v1/embeddings", "assistants": "llm/v1/assistants", "batches": "llm/v1/batches", "files": "llm/v1/files",
	"audio/speech": "audio/v1/audio/speech", "audio/transcriptions": "audio/v1/audio/transcriptions", "audio/translations": "audio/v1/audio/translations",
	"images/generations": "image/v1/images/generations", "images/edits": "image/v1/images/edits", "images/variations": "",
	"realtime": "realtime/v1/realtime", "videos": "video/v1/videos/generations",
	"conversations": "", "fine_tuning": "", "messages": "", "moderations": "", "rerank": "", "threads": "", "uploads": "", "vector_stores": "",
}

// operation is the operation of OpenAI's API that the path of a request names; "" if it
// names none. A path may have more before it, such as that of a route or of a deployment.
func (x *exchange) operation() string {
	path, longest := strings.TrimRight(x.path(), "/"), ""
	_, behindVersion, _ := strings.Cut(path, "/v1/")
	for name := range operations {
		named := strings.HasSuffix(path, "/"+name) || strings.HasPrefix(behindVersion+"/", name+"/")
		if named && len(name) > len(longest) {
			longest = name
		}
	}
	return longest
}

// aboutShape are the codes of errors that a request for another operation causes.
var aboutShape = []string{codeNoBody, provider.CodeContentType, provider.CodeInvalidRequest, provider.CodeRouteType}

// misdirected turns the error about a request that cannot be read into one that names the
// operation, if its path names one that no target of the instance serves. The path alone
// is no error: a route may have any.
func (x *exchange) misdirected(err error, instance *Instance) error {
	var bad *provider.RequestError
	operation := x.operation()
	if !errors.As(err, &bad) || !slices.Contains(aboutShape, bad.Code) || operation == "" ||
		slices.Contains(instance.RouteTypes, operations[operation]) {
		return err
	}
	sent := operation
	if routeType := operations[operation]; routeType != "" {
		sent += " (" + strconv.Quote(routeType) + ")"
	}
	return &provider.RequestError{
		Status: http.StatusBadRequest, Code: provider.CodeRouteType,
		Message: "request for " + sent + ` does not fit route_type "` + strings.Join(instance.RouteTypes, `" or "`) + `"`,
	}
}
