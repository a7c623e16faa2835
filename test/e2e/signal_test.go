package e2e_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
)

// own starts semlb as a separate process, with an Envoy and a target.
func own(t *testing.T, envoy, target string, flags ...string) (*process.Process, *harness.Gateway) {
	t.Helper()
	config := harness.WriteConfig(t, harness.Config(harness.Plugin{Targets: []harness.Target{{Model: "gpt-4o", URL: target}}}))
	listen, status := harness.FreeAddress(t), harness.FreeAddress(t)
	p := process.Start(t, harness.Build(t), append([]string{
		"run", "-c", config, "--listen", listen, "--status", status, "--admin", "off",
		"--envoy", envoy, "--hop", harness.Hop(), "--embeddings", "builtin", "--vectordb", "memory",
	}, flags...)...)
	return p, harness.NewGateway(t, listen, status)
}

// TestAnEnvoyThatHangsOnStartIsStoppedWithSemlb: it is a script that does not become
// the program it starts.
func TestAnEnvoyThatHangsOnStartIsStoppedWithSemlb(t *testing.T) {
	t.Parallel()
	pidFile := filepath.Join(t.TempDir(), "pid")
	hanging := script(t, `[ "$1" = --version ] && echo "envoy  version: 0123456789abcdef/1.40.0/Clean/RELEASE/BoringSSL" && exit 0
sleep 300 & echo $! >`+pidFile+`
wait`)
	p, _ := own(t, hanging, "http://127.0.0.1:9")
	pid := 0
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(pidFile)
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	_, status := p.Stop(time.Minute)
	require.Zero(t, status, p.Log())
	// A zombie can still be signalled, so its state is read.
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	require.True(t, err != nil || strings.Contains(string(stat), ") Z"), "the process that the script started is still running: %s", stat)
}

// TestAWrapperAroundEnvoyServesAndStops: real requests through a script without exec.
func TestAWrapperAroundEnvoyServesAndStops(t *testing.T) {
	t.Parallel()
	stub := harness.NewStub(t, "provider")
	wrapper := script(t, harness.Envoy(t)+` "$@"`)
	p, gateway := own(t, wrapper, stub.URL, "--drain", "1s")
	harness.AwaitReady(t, gateway.Status)
	require.Equal(t, 200, gateway.Post(harness.NewClient(t, harness.HTTP1), harness.Chat("hello")).Status)
	_, code := p.Stop(time.Minute)
	require.Zero(t, code, p.Log())
}

// TestASecondSignalEndsSemlbAtOnce while the first one's drain waits for an answer. Its
// directory goes with it.
func TestASecondSignalEndsSemlbAtOnce(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	stub := harness.NewStub(t, "provider")
	stub.Do(harness.Hang())
	p, gateway := own(t, harness.Envoy(t), stub.URL, "--drain", "5m")
	harness.AwaitReady(t, gateway.Status)
	client := harness.NewClient(t, harness.HTTP1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = harness.Send(client, gateway.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat("hello")))) // Envoy is killed
	}()
	stub.Await(t, 1)
	p.Signal(syscall.SIGINT)
	require.Eventually(t, func() bool { return strings.Contains(p.Log(), "msg=stopping") }, time.Minute, 10*time.Millisecond)
	select {
	case <-p.Exited():
		t.Fatal("it did not wait for the answer")
	case <-time.After(500 * time.Millisecond):
	}
	p.Signal(syscall.SIGINT)
	select {
	case <-p.Exited():
	case <-time.After(time.Minute):
		t.Fatal("a second signal was ignored")
	}
	<-ended // Envoy has ended with it
	require.Equal(t, -1, p.ExitCode(), "it ended by the signal")
	left, err := filepath.Glob(filepath.Join(temporary, "semlb-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
