package envoy

import (
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"semlb/envoy/envoytest"
	"semlb/wire"
)

func TestMutationsAreGolden(t *testing.T) {
	set := []Header{{HeaderCluster, "https_api.openai.com:443"}, {"authorization", "Bearer key"}, {"x-bytes", "\xff"}}
	answer := func() *extprocv3.ProcessingResponse {
		return Answer(503, wire.ErrorBody("No target matches.", "server_error", "no_match"), "no_match")
	}
	for name, m := range map[string]proto.Message{
		"continue": Continue(),
		"replace": ReplaceRequest(Request{
			Scheme: "https", Authority: "api.openai.com", Path: "/v1/chat/completions", Body: []byte(`{"model":"gpt-4o"}`),
			Set: set, Remove: []string{HeaderFirst, "x-api-key"},
		}),
		"pass":         PassRequest(set, []string{HeaderFirst}),
		"answer":       answer(),
		"answer-final": Final(answer()),
	} {
		envoytest.Golden(t, "mutation-"+name, m)
	}
	require.True(t, proto.Equal(PassRequest(set, nil), Final(PassRequest(set, nil))))
}
