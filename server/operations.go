package server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"semlb/provider"
)

// operations are the paths of OpenAI's API behind /v1/, with the route type that serves
// each; "" if none does.
var operations = map[string]provider.Shape{
	"chat/completions": provider.Chat, "completions": provider.Completions, "responses": "",
	"assistants": "", "audio/speech": "", "audio/transcriptions": "", "audio/translations": "", "batches": "",
	"conversations": "", "embeddings": "", "files": "", "fine_tuning": "", "images/edits": "", "images/generations": "",
	"images/variations": "", "messages": "", "moderations": "", "realtime": "", "rerank": "", "threads": "", "uploads": "",
	"vector_stores": "", "videos": "",
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
		slices.Contains(instance.RouteTypes, string(operations[operation])) {
		return err
	}
	return &provider.RequestError{
		Status: http.StatusBadRequest, Code: provider.CodeRouteType,
		Message: fmt.Sprintf("%s of OpenAI's API is not served here: the request does not fit route_type %s",
			operation, `"`+strings.Join(instance.RouteTypes, `" or "`)+`"`),
	}
}
