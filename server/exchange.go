package server

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"semlb/envoy"
	"semlb/provider"
	"semlb/router"
)

// exchange is one request of one hop: what Envoy sent of it.
type exchange struct {
	headers []*corev3.HeaderValue
	// attributes are what Envoy says of the route that it matched.
	attributes map[string]string
	metadata   map[string]*structpb.Struct
	body       []byte
	bodiless   bool

	// probes are those of the plan that was made for the request, and prober is who
	// wants to know that they were not made.
	probes []router.Probe
	prober Router
}

// giveBack tells that the request did not come to the probes of its plan.
func (x *exchange) giveBack() {
	for _, probe := range x.probes {
		x.prober.Unreached(probe)
	}
	x.probes = nil
}

func newExchange(h *extprocv3.HttpHeaders, attributes map[string]*structpb.Struct) *exchange {
	x := &exchange{headers: h.GetHeaders().GetHeaders(), attributes: make(map[string]string), bodiless: h.GetEndOfStream()}
	for _, ofFilter := range attributes {
		for name, value := range ofFilter.GetFields() {
			x.attributes[name] = value.GetStringValue()
		}
	}
	return x
}

// checkHead refuses a head to which the plan could not be added.
func (x *exchange) checkHead() error {
	count, size := 0, 0
	for _, h := range x.headers {
		size += len(h.GetKey()) + len(h.GetRawValue()) + len(h.GetValue())
		if !strings.HasPrefix(h.GetKey(), ":") {
			count++
		}
	}
	if count <= envoy.MaxHeaders && size <= envoy.MaxHeaderBytes {
		return nil
	}
	return &provider.RequestError{
		Status: http.StatusRequestHeaderFieldsTooLarge, Code: codeHeaders,
		Message: fmt.Sprintf("the request has more than %d headers, or more than %d bytes of them", envoy.MaxHeaders, envoy.MaxHeaderBytes),
	}
}

// header is the first value of a header, by its lower-case name, or "". Envoy's
// names are in lower case already; the values are the client's bytes.
func (x *exchange) header(name string) string {
	v, _ := x.lookup(name)
	return v
}

func (x *exchange) lookup(name string) (string, bool) {
	for _, h := range x.headers {
		if h.GetKey() == name {
			if raw := h.GetRawValue(); len(raw) > 0 {
				return string(raw), true
			}
			return h.GetValue(), true
		}
	}
	return "", false
}

// headerList is the members of a header that is a list, which may be repeated.
func (x *exchange) headerList(name string) []string {
	var all []string
	for _, h := range x.headers {
		if h.GetKey() == name {
			all = append(all, list(cmp.Or(string(h.GetRawValue()), h.GetValue()))...)
		}
	}
	return all
}

// query is the client's query string, without "?".
func (x *exchange) query() string {
	_, query, _ := strings.Cut(x.header(":path"), "?")
	return query
}

// asksForModels says whether this is OpenAI's request for the list of models.
func (x *exchange) asksForModels() bool {
	path, _, _ := strings.Cut(x.header(":path"), "?")
	return x.header(":method") == "GET" && strings.HasSuffix(path, "/models")
}

func (x *exchange) requestID() string { return x.header("x-request-id") }
