// Package child runs Envoy as a child process: it checks its version, starts it,
// relays its log, restarts it when it ends by itself, and drains it before it is
// stopped.
package child

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"semlb/envoy"
)

// Process is one run of Envoy as a child process.
type Process struct {
	// Binary is the path of Envoy, or of a script that runs it.
	Binary string
	// Bootstrap is its bootstrap configuration.
	Bootstrap *bootstrapv3.Bootstrap
	// Dir is a directory for its files that no other process uses.
	Dir string
	// Concurrency is the number of worker threads; 0 means one per core.
	Concurrency int
	// Grace is how long it may take to exit after SIGTERM; then it is killed.
	Grace time.Duration
	// Drain is Envoy's --drain-time-s; 0 means [envoy.DrainTime].
	Drain time.Duration
	// Log receives the lines of Envoy's log.
	Log *slog.Logger
	// Redact removes secrets from a line; nil removes nothing.
	Redact func(string) string
}

// Run starts Envoy and waits until it ends. When ctx ends, Run stops Envoy and returns
// nil; an Envoy that ends by itself is an error.
func (p *Process) Run(ctx context.Context) error {
	file := filepath.Join(p.Dir, "bootstrap.json")
	text, err := protojson.Marshal(p.Bootstrap)
	if err != nil {
		return fmt.Errorf("write envoy bootstrap: %w", err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("write envoy bootstrap: %w", err)
	}
	cmd := exec.CommandContext(ctx, p.Binary, p.arguments(file)...)
	group := newProcessGroup(cmd, p.Grace)
	output, stderr := io.Pipe()
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start envoy: %w", err)
	}
	var relay sync.WaitGroup
	relay.Go(func() {
		p.relay(ctx, output)
		_ = output.Close() // unblocks writers; it cannot fail
	})
	err = cmd.Wait()
	group.end()
	_ = stderr.Close() // ends the relay; it cannot fail
	relay.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return exitError(err)
}

func (p *Process) arguments(bootstrap string) []string {
	args := []string{
		"-c", bootstrap, "--disable-hot-restart", "--log-level", "warning", "--log-format", "%l %v",
		"--drain-time-s", strconv.Itoa(int(cmp.Or(p.Drain, envoy.DrainTime).Seconds())),
		// Every response of a replaced listener closes its connection, so that none is
		// still in use when the drain time is over.
		"--drain-strategy", "immediate",
	}
	if p.Concurrency > 0 {
		args = append(args, "--concurrency", strconv.Itoa(p.Concurrency))
	}
	return args
}

// exitError describes an Envoy that ended by itself; err is that of [exec.Cmd.Wait].
func exitError(err error) error {
	switch {
	case err == nil:
		err = errors.New("it exited with status 0")
	case errors.Is(err, exec.ErrWaitDelay):
		err = errors.New("it exited with status 0, but its child processes did not; run Envoy in the foreground")
	}
	return fmt.Errorf("envoy ended: %w", err)
}

// maxLine bounds a relayed line of Envoy's log, in bytes.
const maxLine = 64 << 10

// relay logs the lines of out until it ends. Envoy's warnings quote no header, but may
// quote its configuration. Every byte is read: Envoy blocks on a full pipe.
func (p *Process) relay(ctx context.Context, out io.Reader) {
	lines := bufio.NewReaderSize(out, maxLine)
	for {
		line, cut, err := lines.ReadLine()
		if err != nil {
			return
		}
		p.logLine(ctx, string(line), cut)
		for cut && err == nil {
			_, cut, err = lines.ReadLine()
		}
	}
}

// workInProgress is in Envoy's warnings about parts of its API that may still change. Those
// in use are the same at every start, and tested with every version of Envoy that semlb
// supports.
const workInProgress = "marked as work-in-progress"

// logLine logs one line, which begins with Envoy's level.
func (p *Process) logLine(ctx context.Context, line string, cut bool) {
	level, text, _ := strings.Cut(line, " ")
	known := strings.Contains(text, workInProgress)
	if p.Redact != nil {
		text = p.Redact(text)
	}
	if cut {
		text += " [cut]"
	}
	switch {
	case ctx.Err() != nil || known: // messages about the shutdown are expected too
		p.Log.Debug("envoy log", "envoy_level", level, "text", text)
	case level == "error" || level == "critical":
		p.Log.Error("envoy log", "text", text)
	default:
		p.Log.Warn("envoy log", "envoy_level", level, "text", text)
	}
}
