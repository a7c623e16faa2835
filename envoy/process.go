package envoy

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
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/encoding/protojson"
)

// Version is the version of an Envoy.
type Version struct{ Major, Minor, Patch int }

// OldestVersion is the oldest Envoy the generated configuration runs on.
var OldestVersion = Version{1, 36, 0}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Before says whether v is older than w.
func (v Version) Before(w Version) bool {
	if v.Major != w.Major {
		return v.Major < w.Major
	}
	if v.Minor != w.Minor {
		return v.Minor < w.Minor
	}
	return v.Patch < w.Patch
}

var versionText = regexp.MustCompile(`/(\d+)\.(\d+)\.(\d+)[^/]*/`)

// A binary has this long to say its version, and to end when it has not.
const (
	versionTimeout = 10 * time.Second
	versionGrace   = time.Second
)

// VersionOf asks a binary for its version. The error is a sentence that says what
// is wrong with it.
func VersionOf(ctx context.Context, binary string) (Version, error) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "--version")
	children := newProcessGroup(cmd, versionGrace)
	out, err := cmd.Output()
	if cmd.Process != nil {
		children.end()
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return Version{}, fmt.Errorf("%s --version does not end: it had %s", binary, versionTimeout)
	}
	if err != nil {
		return Version{}, fmt.Errorf("run %s --version: %w", binary, err)
	}
	m := versionText.FindStringSubmatch(string(out))
	if m == nil {
		return Version{}, fmt.Errorf("%s is not an Envoy: it has no version", binary)
	}
	var v Version
	for i, field := range []*int{&v.Major, &v.Minor, &v.Patch} {
		if *field, err = strconv.Atoi(m[i+1]); err != nil {
			return Version{}, fmt.Errorf("read version of %s: %w", binary, err)
		}
	}
	return v, nil
}

// Process is an Envoy run as a child.
type Process struct {
	// Binary is the path of Envoy, or of a script that runs it.
	Binary string
	// Bootstrap is what it starts with.
	Bootstrap *bootstrapv3.Bootstrap
	// Dir is a directory of the process's own for its files.
	Dir string
	// Concurrency is the number of worker threads; 0 means one per core.
	Concurrency int
	// Grace is how long it may finish open requests when it is stopped.
	Grace time.Duration
	// Drain takes the place of DrainTime; 0 leaves it.
	Drain time.Duration
	Log   *slog.Logger
	// Redact takes out of what Envoy says what nobody may see; nil leaves it as it is.
	Redact func(string) string
}

// DrainTime is how long a listener that was replaced goes on for the requests it
// has, streams included; whatever is left then is cut.
const DrainTime = 30 * time.Minute

// Run starts Envoy and waits for its end. When ctx ends it is stopped, which is no
// error; an Envoy that ends by itself is one.
func (p *Process) Run(ctx context.Context) error {
	file := filepath.Join(p.Dir, "bootstrap.json")
	text, err := protojson.Marshal(p.Bootstrap)
	if err != nil {
		return fmt.Errorf("write envoy bootstrap: %w", err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("write envoy bootstrap: %w", err)
	}
	args := []string{
		"-c", file, "--disable-hot-restart", "--log-level", "warning", "--log-format", "%l %v",
		"--drain-time-s", strconv.Itoa(int(cmp.Or(p.Drain, DrainTime).Seconds())),
		// Every answer of a replaced listener closes its connection, so that none is left
		// in use when the time is over.
		"--drain-strategy", "immediate",
	}
	if p.Concurrency > 0 {
		args = append(args, "--concurrency", strconv.Itoa(p.Concurrency))
	}
	cmd := exec.CommandContext(ctx, p.Binary, args...)
	children := newProcessGroup(cmd, p.Grace)
	said, stderr := io.Pipe()
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start envoy: %w", err)
	}
	var relayed sync.WaitGroup
	relayed.Go(func() {
		p.relay(ctx, said)
		_ = said.Close() // so that nobody waits for a reader; it cannot fail
	})
	err = cmd.Wait()
	children.end()
	_ = stderr.Close() // the same
	relayed.Wait()
	if ctx.Err() != nil {
		return nil
	}
	switch {
	case err == nil:
		err = errors.New("it exited with status 0")
	case errors.Is(err, exec.ErrWaitDelay):
		err = errors.New("it exited with status 0, but not what it had started; run it in the foreground")
	}
	return fmt.Errorf("envoy ended: %w", err)
}

// maxLine bounds a line of Envoy's in the log, in bytes.
const maxLine = 64 << 10

// relay logs what Envoy says until it ends. Its warnings quote no header; they may
// quote its configuration. Whatever comes is read: Envoy would wait for that.
func (p *Process) relay(ctx context.Context, out io.Reader) {
	lines := bufio.NewReaderSize(out, maxLine)
	for {
		line, cut, err := lines.ReadLine()
		if err != nil {
			return
		}
		p.say(ctx, string(line), cut)
		for cut && err == nil {
			_, cut, err = lines.ReadLine()
		}
	}
}

// say logs a line of Envoy's.
func (p *Process) say(ctx context.Context, line string, cut bool) {
	level, text, _ := strings.Cut(line, " ")
	if p.Redact != nil {
		text = p.Redact(text)
	}
	if cut {
		text += " [cut]"
	}
	switch {
	case ctx.Err() != nil: // what it says of being stopped is no news
		p.Log.Debug("envoy says", "level", level, "text", text)
	case level == "error" || level == "critical":
		p.Log.Error("envoy says", "text", text)
	default:
		p.Log.Warn("envoy says", "level", level, "text", text)
	}
}
