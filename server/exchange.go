package server

import (
	"cmp"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"semlb/envoy"
)

// exchange is one request of one hop: what Envoy sent of it.
type exchange struct {
	headers  []*corev3.HeaderValue
	route    string // the name of the route that Envoy matched, or of its virtual host
	metadata map[string]*structpb.Struct
	body     []byte
	bodiless bool
}

func newExchange(h *extprocv3.HttpHeaders, attributes map[string]*structpb.Struct) *exchange {
	x := &exchange{headers: h.GetHeaders().GetHeaders(), bodiless: h.GetEndOfStream()}
	for _, a := range attributes {
		said := a.GetFields()
		x.route = cmp.Or(said[envoy.AttributeRoute].GetStringValue(), said[envoy.AttributeHost].GetStringValue())
	}
	return x
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
