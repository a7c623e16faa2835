package envoy

import (
	"net/url"
	"slices"
	"strings"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/types/known/structpb"
)

// Replan is a plan that takes the place of the one of a request: that of the replica that
// makes an attempt for which the configuration of the plan is not in force any more. The
// inner hop returns it to the cluster of the hop with the answer to the attempt.
type Replan struct {
	// Set are the headers of the attempts that follow, HeaderPlan and HeaderInstance among
	// them, and Remove the names of those that they do not have any more.
	Set    []Header
	Remove []string
	// Policy is by which this attempt and those that follow move on.
	Policy Policy
}

// Keys of a replan that are not names of headers to set.
const (
	keyRemove   = "remove"
	keyStatuses = "statuses"
)

// Permitted is the header with which this attempt and those that follow move on.
func (p Replan) Permitted() Header { return p.Policy.permitted(true) }

// encode writes a replan as a query, which [HeaderReplan] holds.
func (p Replan) encode() string {
	// Between spaces, so that one is found as a part of the text.
	values := url.Values{keyStatuses: {" " + strings.ReplaceAll(p.Policy.statusList, ",", " ") + " "}, keyRemove: p.Remove}
	for _, h := range append(slices.Clip(p.Set), p.Permitted()) {
		values.Set(h.Name, h.Value)
	}
	return values.Encode()
}

// WithReplan adds a replan to the answer to an attempt. It is in dynamic metadata: an Envoy
// that does not know it, because a replica of an earlier version configures it, ignores it,
// and the request keeps its plan.
func WithReplan(r *extprocv3.ProcessingResponse, p Replan) *extprocv3.ProcessingResponse {
	replan := &structpb.Struct{Fields: map[string]*structpb.Value{KeyReplan: structpb.NewStringValue(p.encode())}}
	r.DynamicMetadata = &structpb.Struct{Fields: map[string]*structpb.Value{MetadataNamespace: structpb.NewStructValue(replan)}}
	return r
}
