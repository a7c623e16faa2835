package envoy

import (
	"strconv"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
)

// Continue answers the headers of a request whose body follows.
func Continue() *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{}},
	}
}

// Admit answers the headers of a request whose body is admitted.
func Admit() *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{
			Response: &extprocv3.CommonResponse{HeaderMutation: &extprocv3.HeaderMutation{
				SetHeaders: []*corev3.HeaderValueOption{overwrite(HeaderAdmitted, "1")},
			}},
		}},
	}
}

// ContinueBody passes on a part of a body.
func ContinueBody() *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestBody{RequestBody: &extprocv3.BodyResponse{}},
	}
}

// ContinueTrailers passes on the trailers of a request.
func ContinueTrailers() *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestTrailers{RequestTrailers: &extprocv3.TrailersResponse{}},
	}
}

// Request is the request that a target gets.
type Request struct {
	Scheme, Authority, Path string
	Body                    []byte
	Set                     []Header
	Remove                  []string
}

// ReplaceRequest answers a request's body with the request that takes its place. It sets
// the content length with the body, because Envoy refuses a mismatch, and clears the route
// cache, because the route depends on headers that it sets.
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

// PassRequest answers a request's body with a change of headers; the body stays as it is.
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

// Answer answers the request itself, with a JSON body. The code, which is never user data,
// becomes the response code details in Envoy's access log, after [OwnDetails].
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

// SetHeader sets a header of an answer made by [Answer].
func SetHeader(r *extprocv3.ProcessingResponse, name, value string) {
	h := r.GetImmediateResponse().GetHeaders()
	h.SetHeaders = append(h.SetHeaders, overwrite(name, value))
}

// RetryAfter adds a Retry-After header, in seconds, to an answer made by [Answer].
func RetryAfter(seconds int, r *extprocv3.ProcessingResponse) *extprocv3.ProcessingResponse {
	SetHeader(r, "retry-after", strconv.Itoa(seconds))
	return r
}

// Final marks an answer made by [Answer] in the inner role as final: the outer hop does
// not try the next target. Other responses stay as they are.
func Final(r *extprocv3.ProcessingResponse) *extprocv3.ProcessingResponse {
	if h := r.GetImmediateResponse().GetHeaders(); h != nil {
		h.SetHeaders = append(h.SetHeaders, overwrite(FinalHeader, "true"))
	}
	return r
}
