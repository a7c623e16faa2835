package envoy

import (
	"encoding/json"
	"strconv"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
)

// Continue answers the headers of a request whose body is still to come.
func Continue() *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{}},
	}
}

// Request is what a request is turned into before it leaves for a target.
type Request struct {
	Scheme, Authority, Path string
	Body                    []byte
	Set                     []Header
	Remove                  []string
}

// ReplaceRequest answers a request's body with everything the request becomes.
// It sets the content length with the body, because Envoy refuses a mismatch, and
// clears the route cache, because the route depends on the headers it sets.
func ReplaceRequest(r Request) *extprocv3.ProcessingResponse {
	set := make([]*corev3.HeaderValueOption, 0, len(r.Set)+4)
	set = append(set,
		overwrite(":path", r.Path),
		overwrite(":authority", r.Authority),
		overwrite(":scheme", r.Scheme),
		overwrite("content-length", strconv.Itoa(len(r.Body))),
	)
	for _, h := range r.Set {
		set = append(set, overwrite(h.Name, h.Value))
	}
	return bodyResponse(&extprocv3.CommonResponse{
		HeaderMutation:  &extprocv3.HeaderMutation{SetHeaders: set, RemoveHeaders: r.Remove},
		BodyMutation:    &extprocv3.BodyMutation{Mutation: &extprocv3.BodyMutation_Body{Body: r.Body}},
		ClearRouteCache: true,
	})
}

// PassRequest answers a request's body by changing headers only; the body goes on
// as it came.
func PassRequest(set []Header, remove []string) *extprocv3.ProcessingResponse {
	opts := make([]*corev3.HeaderValueOption, len(set))
	for i, h := range set {
		opts[i] = overwrite(h.Name, h.Value)
	}
	return bodyResponse(&extprocv3.CommonResponse{
		HeaderMutation:  &extprocv3.HeaderMutation{SetHeaders: opts, RemoveHeaders: remove},
		ClearRouteCache: true,
	})
}

func bodyResponse(c *extprocv3.CommonResponse) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestBody{RequestBody: &extprocv3.BodyResponse{Response: c}},
	}
}

func overwrite(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		// RawValue: Envoy ignores Value in these mutations, and RawValue takes any bytes.
		Header:       &corev3.HeaderValue{Key: name, RawValue: []byte(value)},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}

// Answer ends the request at once with a JSON body. The code, which is never user data,
// goes to Envoy's access log as the response code details, with a prefix that tells
// it from Envoy's own.
func Answer(status int, body []byte, code string) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_ImmediateResponse{ImmediateResponse: &extprocv3.ImmediateResponse{
			Status: &typev3.HttpStatus{Code: typev3.StatusCode(status)},
			Headers: &extprocv3.HeaderMutation{SetHeaders: []*corev3.HeaderValueOption{
				overwrite("content-type", "application/json"),
			}},
			Body:    body,
			Details: OwnDetails + code,
		}},
	}
}

// RetryAfter tells the client of an immediate answer when to try again.
func RetryAfter(seconds int, r *extprocv3.ProcessingResponse) *extprocv3.ProcessingResponse {
	h := r.GetImmediateResponse().GetHeaders()
	h.SetHeaders = append(h.SetHeaders, overwrite("retry-after", strconv.Itoa(seconds)))
	return r
}

// Final makes an answer of the inner hop the last word: the outer hop does not try
// the next target. Answers that are not immediate pass through unchanged.
func Final(r *extprocv3.ProcessingResponse) *extprocv3.ProcessingResponse {
	if h := r.GetImmediateResponse().GetHeaders(); h != nil {
		h.SetHeaders = append(h.SetHeaders, overwrite(FinalHeader, "true"))
	}
	return r
}

// ErrorBody is an error as the OpenAI API writes it, so that its clients show the
// message.
func ErrorBody(message, kind, code string) []byte {
	body, err := json.Marshal(map[string]any{"error": map[string]any{
		"message": message, "type": kind, "param": nil, "code": code,
	}})
	if err != nil { // strings always marshal
		return []byte(`{"error":{"message":"internal error"}}`)
	}
	return body
}
