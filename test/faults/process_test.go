package faults_test

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
)

// deployment is a world whose `semlb serve` is a separate process, with an Envoy that has
// its bootstrap from `semlb envoy`.
type deployment struct {
	*world
	// grpc is where semlb serves, asks where Envoy connects, admin is Envoy's admin
	// interface.
	grpc, asks, admin string
	// file is the configuration file.
	file string

	// hop are the flags for the kind of hop, and print more of semlb envoy.
	hop, print []string

	args             []string
	serve, envoy     *process.Process
	serveAs, envoyAs *process.User
	// logged is what all processes of semlb wrote.
	logged *process.Log
}

// deploy starts both and waits until requests can be served.
func deploy(t *testing.T, o options) *deployment {
	t.Helper()
	d := &deployment{world: newTargets(t), grpc: harness.FreeAddress(t), admin: harness.FreeAddress(t), logged: new(process.Log)}
	d.asks = d.grpc
	if o.between != nil {
		d.asks = o.between(d.grpc)
	}
	d.print = o.envoy
	d.serveAs, d.envoyAs = o.serveAs, o.envoyAs
	hop := harness.SocketDir(t) + "/hop"
	if d.envoyAs != nil {
		hop = hopOf(d.envoyAs)
	}
	d.hop = []string{"--hop", harness.Hop(), "--hop-socket", hop}
	listen, status := harness.FreeAddress(t), harness.FreeAddress(t)
	d.file = d.writeConfig(d.configuration(o))
	d.Gateway, d.log = harness.NewGateway(t, listen, status), d.logged.String
	d.routines, d.slack = func() int { return int(d.metric("go_goroutines")) }, 12
	embeddings := "builtin"
	if o.embedder != nil {
		embeddings = "config"
		d.slack += 2 * 16 // of idle connections to the embedder, two for each
	}
	d.args = append([]string{
		"serve", "-c", d.file, "--listen", listen, "--status", status, "--grpc-socket", "", "--grpc-listen", d.grpc,
		"--vectordb", "memory", "--embeddings", embeddings, "--log-level", "debug", "--drain", "300ms", "--admin", "off",
		"--decision-budget", "10s", // far above what a loaded machine is late
	}, append(d.hop, o.flags...)...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("semlb's log:\n%s", d.logged.Tail())
		}
	})
	d.startServe()
	d.startEnvoy()
	return d
}

// writeConfig writes the configuration where semlb can read it.
func (d *deployment) writeConfig(text string) string {
	if d.serveAs != nil {
		return d.serveAs.Write("kong.yaml", text)
	}
	return harness.WriteConfig(d.t, text)
}

// startServe starts semlb and waits until it is ready.
func (d *deployment) startServe() {
	d.t.Helper()
	if program := harness.Build(d.t); d.serveAs != nil {
		d.serve = d.serveAs.Start(program, d.args...)
		d.log = d.serve.Log
	} else {
		d.serve = process.StartLogged(d.t, d.logged, program, d.args...)
	}
	harness.AwaitReady(d.t, d.Status)
}

func (d *deployment) startEnvoy() {
	d.t.Helper()
	printed := harness.Command(d.t, nil, slices.Concat([]string{"envoy", "--grpc-listen", d.asks, "--envoy-admin", d.admin}, d.hop, d.print)...)
	require.Zero(d.t, printed.Code, printed.Stderr)
	if d.envoyAs != nil {
		d.envoy = d.envoyAs.Start(harness.Envoy(d.t), "-c", d.envoyAs.Write("bootstrap.json", printed.Stdout),
			"--disable-hot-restart", "--log-level", "warning", "--concurrency", "2")
	} else {
		d.envoy = harness.RunEnvoy(d.t, printed.Stdout)
	}
	require.Eventually(d.t, func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(d.URL, "http://"))
		return err == nil && conn.Close() == nil
	}, waitLimit, waitStep, "Envoy does not listen:\n%s", lazily(d.envoy.Log))
}
