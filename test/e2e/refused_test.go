package e2e_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/stretchr/testify/require"
	statusv3 "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"semlb/envoy/parts"
	"semlb/envoy/render"
	"semlb/test/harness"
	"semlb/test/process"
)

// picky is an Envoy that refuses everything with a key in it, and quotes the key.
type picky struct {
	t      *testing.T
	stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesClient
	taken  map[string]string
	// leave ends the connection.
	leave func()
}

const annasKey = "annas-planted-key"

func newPicky(t *testing.T, address string) *picky {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	p := &picky{t: t, taken: map[string]string{}}
	p.stream, err = discoveryv3.NewAggregatedDiscoveryServiceClient(conn).StreamAggregatedResources(t.Context())
	require.NoError(t, err)
	for _, typ := range []string{resource.ClusterType, resource.ListenerType, resource.RouteType} {
		require.NoError(t, p.stream.Send(&discoveryv3.DiscoveryRequest{Node: &corev3.Node{Id: "picky"}, TypeUrl: typ, ResourceNames: namesOf(typ)}))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.run()
	}()
	p.leave = sync.OnceFunc(func() {
		require.NoError(t, conn.Close())
		<-done
	})
	t.Cleanup(p.leave)
	return p
}

// namesOf are the names of the resources that an Envoy subscribes to; nil is all.
func namesOf(typ string) []string {
	if typ != resource.RouteType {
		return nil
	}
	var names []string
	for _, r := range render.NewResources(parts.New(parts.Config{})).Routes {
		names = append(names, r.GetName())
	}
	return names
}

// run answers until the stream ends.
func (p *picky) run() {
	for {
		r, err := p.stream.Recv()
		if err != nil {
			return
		}
		answer := &discoveryv3.DiscoveryRequest{TypeUrl: r.GetTypeUrl(), ResponseNonce: r.GetNonce(), ResourceNames: namesOf(r.GetTypeUrl())}
		if strings.Contains(r.String(), annasKey) {
			answer.ErrorDetail = &statusv3.Status{Message: "Duplicated credential key: '" + annasKey + "'"}
		} else {
			p.taken[r.GetTypeUrl()] = r.GetVersionInfo()
		}
		answer.VersionInfo = p.taken[r.GetTypeUrl()]
		if p.stream.Send(answer) != nil {
			return
		}
	}
}

// TestEnvoysRefusalsAreReportedWithoutSecrets has an Envoy refuse what the Admin API was
// told while no Envoy was there, and then a change. The key that the Envoy quotes is
// nowhere to be read.
func TestEnvoysRefusalsAreReportedWithoutSecrets(t *testing.T) {
	t.Parallel()
	admin, status, grpcAddress := harness.FreeAddress(t), harness.FreeAddress(t), harness.FreeAddress(t)
	p := process.Start(t, harness.Build(t), "serve", "--state", filepath.Join(t.TempDir(), "state.json"), "--listen", harness.FreeAddress(t),
		"--admin", admin, "--status", status, "--grpc-socket", "", "--grpc-listen", grpcAddress, "--drain", "0s", "--log-level", "debug")
	harness.AwaitReady(t, "http://"+status)
	get := func(url string) string { return harness.Get(t, "http://"+url).Body }
	call := func(method, path, body string) string {
		return harness.Call(t, method, "http://"+admin+path, body).Body
	}
	refused := func(page string) string {
		var answer struct{ Configuration struct{ Refused string } }
		require.NoError(t, json.Unmarshal([]byte(get(page+"/status")), &answer))
		return answer.Configuration.Refused
	}
	secretFree := func(texts ...string) {
		t.Helper()
		for _, text := range append(texts, p.Log(), get(status+"/status"), get(admin+"/status"), get(status+"/metrics")) {
			require.NotContains(t, text, annasKey)
		}
	}
	// Of keys, Envoy has those that routes want in a header.
	const withKey = `{"name": "annas", "headers": {"x-api-key": ["` + annasKey + `"]}}`
	call("POST", "/services", `{"name": "llm", "url": "http://localhost:32000"}`)
	require.Contains(t, call("POST", "/services/llm/routes", withKey), `"id"`, "no Envoy was there to refuse it")
	require.Empty(t, refused(status))

	// An Envoy that has nothing else refuses what is in force.
	one := newPicky(t, grpcAddress)
	harness.AwaitStatus(t, "http://"+status+"/readyz", http.StatusServiceUnavailable)
	require.Equal(t, "envoy rejected its configuration: Duplicated credential key: '[redacted]'", refused(status))
	require.Contains(t, refused(admin), "envoy rejected the configuration; the reason is in the log of semlb")
	require.NotContains(t, refused(admin), "Duplicated")
	require.Contains(t, p.Log(), "Duplicated credential key: '[redacted]'")
	secretFree()

	// Without the key it takes it.
	call("DELETE", "/routes/annas", "")
	harness.AwaitReady(t, "http://"+status)
	require.Empty(t, refused(status))
	require.Empty(t, refused(admin))

	// A change that it rejects is not in force. Envoy and semlb keep the configuration
	// before.
	answer := call("POST", "/services/llm/routes", withKey)
	require.Contains(t, answer, "envoy rejected the configuration; the reason is in the log of semlb")
	require.Equal(t, http.StatusOK, harness.StatusOf("http://"+status+"/readyz"))
	require.Contains(t, refused(status), "Duplicated credential key: '[redacted]'")
	require.JSONEq(t, `{"data": [], "next": null}`, get(admin+"/routes"))
	secretFree(answer)
	call("POST", "/consumers", `{"username": "otto"}`)
	require.Empty(t, refused(status))

	// Without that Envoy, semlb stays ready.
	one.leave()
	require.Eventually(t, func() bool { return strings.Contains(get(status+"/status"), `"envoys":[]`) }, time.Minute, 20*time.Millisecond)
	require.Equal(t, http.StatusOK, harness.StatusOf("http://"+status+"/readyz"))
}
