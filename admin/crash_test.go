package admin

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"semlb/config"
	"semlb/config/load"
	"semlb/vectordb/redistest"
)

// crashState is the environment variable with the state file of a process that this test
// starts and kills.
const crashState = "SEMLB_TEST_CRASH_STATE"

func TestMain(m *testing.M) {
	if state := os.Getenv(crashState); state != "" {
		if err := serveToBeKilled(state); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(m, redistest.IgnoreProbe())
}

// serveToBeKilled serves a state on a free port and prints the address.
func serveToBeKilled(state string) error {
	api, err := Open(Options{Listen: "127.0.0.1:0", State: state})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	server := &http.Server{Handler: api.Handler(&served{}), ReadHeaderTimeout: time.Minute}
	return server.Serve(l)
}

// victim is a process that serves a state.
type victim struct {
	cmd *exec.Cmd
	url string
}

func startVictim(t *testing.T, state string) *victim {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), crashState+"="+state)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	address, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "the state must always load: %s", &stderr)
	return &victim{cmd, "http://" + strings.TrimSpace(address)}
}

// kill ends the process with SIGKILL and waits for it.
func (v *victim) kill(t *testing.T) {
	require.NoError(t, v.cmd.Process.Kill())
	_ = v.cmd.Wait() // it was killed
}

// TestKillsLoseNoAcknowledgedChange kills the process 200 times while
// three clients write.
func TestKillsLoseNoAcknowledgedChange(t *testing.T) {
	const kills = 200
	state := filepath.Join(t.TempDir(), "state.json")
	var writers []*writer
	for _, name := range []string{"a", "b", "c"} {
		writers = append(writers, newWriter(name))
	}
	interrupted := 0
	for range kills {
		v := startVictim(t, state)
		v.writeUntilKilled(t, writers)
		if _, err := os.Stat(beside(state, "new")); err == nil {
			interrupted++
		}
		cfg := &config.Config{}
		if _, err := os.Stat(state); err == nil {
			cfg, _, err = load.Files(load.Options{}, state)
			require.NoError(t, err, "the file is never broken")
		}
		for _, w := range writers {
			w.require(t, cfg)
		}
		require.LessOrEqual(t, len(cfg.Plugins), len(cfg.Consumers), "each is a consumer's, and goes with it")
	}
	acknowledged := 0
	for _, w := range writers {
		acknowledged += w.acknowledged
	}
	require.Greater(t, acknowledged, kills, "the clients got to write")
	t.Logf("%d kills, %d changes acknowledged, %d kills between the new file and its renaming", kills, acknowledged, interrupted)

	// A restart serves what is in the file, even if a temporary file was left.
	v := startVictim(t, state)
	defer v.kill(t)
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	require.Equal(t, http.StatusCreated, send(client, "POST", v.url+"/consumers", `{"username": "last"}`))
	for _, w := range writers {
		for name, c := range w.written {
			if c.exists {
				require.Equal(t, http.StatusOK, send(client, "GET", v.url+"/consumers/"+name, ""))
			}
		}
	}
}

// writeUntilKilled runs the writers, and kills the process after some changes.
func (v *victim) writeUntilKilled(t *testing.T, writers []*writer) {
	t.Helper()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	require.Equal(t, http.StatusOK, send(client, "PUT", v.url+"/consumer_groups/"+crew, "{}"))
	var running sync.WaitGroup
	acknowledgements := make(chan struct{}, 1000)
	for _, w := range writers {
		running.Go(func() {
			w.run(client, v.url, func() {
				select {
				case acknowledgements <- struct{}{}:
				default: // more than the loop below waits for
				}
			})
		})
	}
	for range rand.IntN(7) {
		select {
		case <-acknowledgements:
		case <-time.After(time.Minute):
			t.Fatal("no write was acknowledged")
		}
	}
	time.Sleep(time.Duration(rand.Int64N(int64(8 * time.Millisecond))))
	v.kill(t)
	running.Wait()
}
