package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// apiError is an error as the OpenAI API writes it.
type apiError struct {
	status  int
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

// Error returns the message.
func (e *apiError) Error() string { return e.Message }

// badRequest returns an error about the parameter of that name, or about none.
func badRequest(param, format string, args ...any) *apiError {
	e := &apiError{status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...), Type: "invalid_request_error"}
	if param != "" {
		e.Param = &param
	}
	return e
}

func (e *apiError) as(status int) *apiError {
	e.status = status
	return e
}

func (e *apiError) write(w http.ResponseWriter) {
	writeJSON(w, e.status, map[string]*apiError{"error": e})
}

// failure returns the API's error for a status.
func failure(status int) *apiError {
	e := &apiError{
		status:  status,
		Message: fmt.Sprintf("The demo server failed with %d, as the header %s asked.", status, FailHeader),
		Type:    "invalid_request_error",
	}
	code := ""
	switch {
	case status == http.StatusUnauthorized:
		code = "invalid_api_key"
	case status == http.StatusNotFound:
		code = "model_not_found"
	case status == http.StatusTooManyRequests:
		e.Type, code = "requests", "rate_limit_exceeded"
	case status >= http.StatusInternalServerError:
		e.Type = "server_error"
	}
	if code != "" {
		e.Code = &code
	}
	return e
}

func notFound(w http.ResponseWriter, r *http.Request) {
	status := http.StatusNotFound
	switch r.URL.Path {
	case "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/models":
		status = http.StatusMethodNotAllowed
	}
	badRequest("", "Invalid URL (%s %s)", r.Method, r.URL.Path).as(status).write(w)
}

// writeJSON writes the whole answer at once, with its length.
func writeJSON(w http.ResponseWriter, status int, value any) {
	body := encode(value)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	// An error means that the client has disconnected.
	_, _ = w.Write(body)
}

// encode cannot fail: all values consist of strings and numbers.
func encode(value any) []byte {
	body, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Errorf("encode answer: %w", err))
	}
	return body
}
