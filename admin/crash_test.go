package admin

import (
	"bufio"
	"fmt"
	"io"
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
)

// crashState names, in the environment, the state file of a process that serves
// only to be killed.
const crashState = "SEMLB_TEST_CRASH_STATE"

func TestMain(m *testing.M) {
	if state := os.Getenv(crashState); state != "" {
		if err := serveToBeKilled(state); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(m)
}

// serveToBeKilled serves a state on a free port, which it prints.
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

// victim is such a process.
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

// kill ends the process as a crash does, and waits for it.
func (v *victim) kill(t *testing.T) {
	require.NoError(t, v.cmd.Process.Kill())
	_ = v.cmd.Wait() // it was killed
}

// writer makes changes and remembers those that were acknowledged.
type writer struct {
	name string
	next int
	// present is what must be there, absent what must not; of the one change that
	// was not answered neither is known.
	present, absent map[string]bool
}

// run writes until the server is gone, and tells of every acknowledgement.
func (w *writer) run(client *http.Client, url string, acknowledged func()) {
	for {
		name := fmt.Sprintf("%s-%d", w.name, w.next)
		w.next++
		if status := send(client, "POST", url+"/consumers", `{"username": "`+name+`"}`); status != http.StatusCreated {
			return
		}
		w.present[name] = true
		acknowledged()
		if w.next%3 != 0 {
			continue
		}
		delete(w.present, name)
		if status := send(client, "DELETE", url+"/consumers/"+name, ""); status != http.StatusNoContent {
			return
		}
		w.absent[name] = true
		acknowledged()
	}
}

// send returns the status of an answer that came completely, or 0.
func send(client *http.Client, method, url, body string) int {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	if _, err := io.ReadAll(answer.Body); err != nil {
		return 0
	}
	return answer.StatusCode
}

// TestKilledAtAnyMomentNothingAcknowledgedIsLost kills the process 200 times while
// three clients write.
func TestKilledAtAnyMomentNothingAcknowledgedIsLost(t *testing.T) {
	const kills = 200
	state := filepath.Join(t.TempDir(), "state.json")
	writers := []*writer{}
	for _, name := range []string{"a", "b", "c"} {
		writers = append(writers, &writer{name: name, present: map[string]bool{}, absent: map[string]bool{}})
	}
	acknowledged, interrupted := 0, 0
	for round := range kills {
		v := startVictim(t, state)
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
		var running sync.WaitGroup
		acknowledgements := make(chan struct{}, 1000)
		for _, w := range writers {
			running.Go(func() {
				w.run(client, v.url, func() {
					select {
					case acknowledgements <- struct{}{}:
					default: // more than anybody waits for
					}
				})
			})
		}
		for range rand.IntN(7) {
			select {
			case <-acknowledgements:
			case <-time.After(10 * time.Second):
				t.Fatal("no write was acknowledged")
			}
		}
		time.Sleep(time.Duration(rand.Int64N(int64(8 * time.Millisecond))))
		v.kill(t)
		running.Wait()
		client.CloseIdleConnections()

		if _, err := os.Stat(beside(state, "new")); err == nil {
			interrupted++
		}
		names, cfg := map[string]bool{}, &config.Config{}
		if _, err := os.Stat(state); err == nil {
			cfg, _, err = config.LoadFiles(config.Options{}, state)
			require.NoError(t, err, "round %d: the file is never broken", round)
		}
		for _, c := range cfg.Consumers {
			names[c.Username] = true
		}
		acknowledged = 0
		for _, w := range writers {
			for name := range w.present {
				require.True(t, names[name], "round %d: %s was acknowledged and is lost", round, name)
			}
			for name := range w.absent {
				require.False(t, names[name], "round %d: %s was deleted and is back", round, name)
			}
			acknowledged += len(w.present) + len(w.absent)
		}
	}
	require.Greater(t, acknowledged, kills, "the clients got to write")
	t.Logf("%d kills, %d entities acknowledged, %d kills between the new file and its renaming", kills, acknowledged, interrupted)

	// A restart serves what is in the file, without leftovers in its way.
	v := startVictim(t, state)
	defer v.kill(t)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	require.Equal(t, http.StatusCreated, send(client, "POST", v.url+"/consumers", `{"username": "last"}`))
	for _, w := range writers {
		for name := range w.present {
			require.Equal(t, http.StatusOK, send(client, "GET", v.url+"/consumers/"+name, ""))
		}
	}
}
