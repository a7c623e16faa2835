package faults_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
)

func TestFault44LeastRights(t *testing.T) {
	const serveMemory, envoyMemory = 64, 256 // MiB
	r := begin(t, fmt.Sprintf("the load of row 16 on `semlb serve` with %d MiB and Envoy with %d, as users of their own without capabilities, and with one writable directory each", serveMemory, envoyMemory))
	serveAs, envoyAs, distinct := process.Users(t)
	serve, envoy := serveAs.Confine(serveMemory<<20), envoyAs.Confine(envoyMemory<<20)
	if !serve.InCgroup {
		harness.Build(t) // without the variable
		t.Setenv("GOMEMLIMIT", strconv.Itoa(serveMemory*9/10)+"MiB")
	}
	e := newEmbedder(t)
	memory := []string{"--envoy-memory", strconv.Itoa(envoyMemory)}
	d := deploy(t, options{
		embedder: e, flags: append(memory, "--decision-budget", "2m"), envoy: memory, serveAs: serveAs, envoyAs: envoyAs,
	})
	serveAs.RequireLeast(d.serve)
	envoyAs.RequireLeast(d.envoy)
	peaks := peakAnonymous(t, d.serve.PID(), d.envoy.PID())
	d.servesAtOnce(e, manyAtOnce)
	most := peaks()
	require.Less(t, most[0], serveMemory<<10, "KiB of semlb's memory")
	require.Less(t, most[1], envoyMemory<<10, "KiB of Envoy's memory")
	r.saw("%d × 200; at most, without pages of files: semlb %d MiB, Envoy %d MiB; as users other than the test's: %t; root read-only: %t",
		manyAtOnce, most[0]>>10, most[1]>>10, distinct, serve.ReadOnly && envoy.ReadOnly)
	r.sawCgroups(serve, envoy)
}

// sawCgroups checks that the kernel has ended no process because its memory was full.
func (r *row) sawCgroups(all ...*process.Confinement) {
	r.t.Helper()
	for _, c := range all {
		if !c.InCgroup {
			r.saw("without a cgroup, which the test may not make here")
			continue
		}
		kills, err := c.Kills()
		require.NoError(r.t, err)
		require.Zero(r.t, kills, "ended by the kernel")
		peak, err := c.Peak()
		require.NoError(r.t, err)
		r.saw("in a cgroup of %d MiB: %d MiB at most, nothing killed", c.Memory>>20, peak>>20)
	}
}

// peakAnonymous watches the memory of processes, in KiB, without that of files: the kernel
// takes the latter back when a cgroup is full. The function returns the most of each so far.
func peakAnonymous(t *testing.T, pids ...int) func() []int {
	t.Helper()
	stop, done, most := make(chan struct{}), make(chan struct{}), make([]int, len(pids))
	go func() {
		defer close(done)
		for {
			for i, pid := range pids {
				status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // one that has ended fails the row
				kib, _ := strconv.Atoi(strings.TrimSpace(between(string(status), "RssAnon:", "kB")))
				most[i] = max(most[i], kib)
			}
			select {
			case <-stop:
				return
			case <-time.After(waitStep):
			}
		}
	}()
	end := sync.OnceFunc(func() {
		close(stop)
		<-done
	})
	t.Cleanup(end)
	return func() []int {
		end()
		return most
	}
}
