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
	"audio": "", "containers": "", "conversations": "", "edits": "", "evals": "", "fine_tuning": "", "images": "", "messages": "", "models": "",
	"moderations": "", "organization": "", "rerank": "", "skills": "", "threads": "", "uploads": "", "vector_stores": "",
}

// operation is the operation of OpenAI's API that the path of a request names; "" if it
// names none. A path may have more before it, such as that of a route or of a deployment.
func (x *exchange) operation() string {
	path, longest := strings.TrimRight(x.path(), "/"), ""
	_, behindVersion, _ := strings.Cut(path, "/v1/")
	for n := 1; n <= longestOperation; n++ {
		for _, name := range [...]string{lastSegments(path, n), firstSegments(behindVersion, n)} {
			if _, known := operations[name]; known && len(name) > len(longest) {
				longest = name
			}
		}
	}
	return longest
}

// longestOperation is the most segments that an operation has.
const longestOperation = 2

// lastSegments returns the last n segments of a path; "" if it has fewer.
func lastSegments(path string, n int) string {
	start := len(path)
	for range n {
		if start = strings.LastIndexByte(path[:start], '/'); start < 0 {
			return ""
		}
	}
	return path[start+1:]
}

// firstSegments returns the first n segments of a path that begins with one, or all of a
// shorter one.
func firstSegments(path string, n int) string {
	end := -1
	for range n {
		next := strings.IndexByte(path[end+1:], '/')
		if next < 0 {
			return path
		}
		end += 1 + next
	}
	return path[:end]
}

// aboutShape are the codes of errors that a request for another operation causes.
var aboutShape = []string{codeNoBody, provider.CodeContentType, provider.CodeInvalidRequest, provider.CodeRouteType}

// misdirected returns the error about a request whose path names an operation that no
// target of the instance serves, also if its body reads like one that is served; else err.
func (x *exchange) misdirected(err error, s *Snapshot, instance *Instance) error {
	operation := x.operation()
	if operation == "" || slices.Contains(instance.RouteTypes, operations[operation]) {
		return err
	}
	var bad *provider.RequestError
	if errors.As(err, &bad) && !slices.Contains(aboutShape, bad.Code) || err == nil && x.named(operation, s.Paths(x.match)) {
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

// named reports whether the configuration may have given the path of a request the name of
// an operation, which then means nothing: a route's paths may be any, such as /files. Where
// they are not known, only paths as OpenAI and Azure have them mean their operation.
func (x *exchange) named(operation string, paths []string) bool {
	if len(paths) > 0 {
		return slices.ContainsFunc(paths, func(path string) bool { return strings.Contains(path, operation) })
	}
	_, behindVersion, _ := strings.Cut(x.path(), "/v1/")
	begins := firstSegments(behindVersion, 1+strings.Count(operation, "/")) == operation
	return !begins && !strings.Contains(x.path(), "/openai/")
}
