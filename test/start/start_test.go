// Package start_test follows the README like a person: it runs the program, runs the
// commands that it prints, and presses Ctrl-C.
package start_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
	"semlb/test/tools"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	// readyLimit and stopLimit are generous: a second start takes half a second.
	readyLimit = time.Minute
	stopLimit  = time.Minute
	mealPrompt = "What should I cook for my mother's birthday?"
)

func TestADemonstrationFromStartToCtrlC(t *testing.T) {
	binary := harness.Build(t)
	listen := harness.FreeAddress(t)
	start := time.Now()
	p := process.Start(t, binary, "run", "--demo", "-c", filepath.Join(tools.Root(t), "examples", "deck", "global.yaml"),
		"--envoy", harness.Envoy(t), "--hop", harness.Hop(),
		"--listen", listen, "--status", harness.FreeAddress(t), "--admin", harness.FreeAddress(t))
	require.Eventually(t, func() bool { return strings.Contains(p.Log(), "\nready\n") }, readyLimit, 10*time.Millisecond, "%s", lazily(p.Log))
	took := time.Since(start)
	t.Logf("ready after %s", took.Round(10*time.Millisecond))

	// They are printed after that word.
	require.Eventually(t, func() bool { return len(curls(p.Log())) == 2 }, readyLimit, time.Millisecond, "%s", lazily(p.Log))
	commands := curls(p.Log())
	requireAnswer(t, commands[0], "x-kong-llm-model: openai/gpt-4o\r\n", "x-demo-attempt: 1", "target 2 (gpt-4o, weight 75")
	requireAnswer(t, commands[1], "x-kong-llm-model: openai/gpt-4o-mini\r\n", "x-demo-attempt: 2", "target 3 (gpt-4o-mini, weight 25")
	meal := strings.ReplaceAll(commands[0], "Why does my Go program deadlock on an unbuffered channel?", strings.ReplaceAll(mealPrompt, "'", `'\''`))
	require.NotEqual(t, commands[0], meal)
	requireAnswer(t, meal, "x-kong-llm-model: openai/gpt-4o\r\n", "target 1 (gpt-4o, weight 2", "Specialist in real life topics")

	children, err := p.Children()
	require.NoError(t, err)
	require.NotEmpty(t, children, "Envoy is a child")
	p.Signal(syscall.SIGINT)
	require.Zero(t, p.Await(stopLimit), p.Log())
	for _, child := range children {
		require.ErrorIs(t, syscall.Kill(child, 0), syscall.ESRCH, "a child is left")
	}
	require.Zero(t, harness.StatusOf("http://"+listen), "nothing listens any more")
}

// lazily is text that is made when it is printed.
type lazily func() string

func (f lazily) String() string { return f() }

// curls are the commands that semlb prints to be copied.
func curls(log string) []string {
	var commands []string
	for line := range strings.Lines(log) {
		if command := strings.TrimSpace(line); strings.HasPrefix(command, "curl ") {
			commands = append(commands, command)
		}
	}
	return commands
}

// requireAnswer runs a command in a shell, and wants an answer of status 200 with all
// parts.
func requireAnswer(t *testing.T, command string, parts ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "sh", "-c", command+" --silent --noproxy '*'").Output()
	require.NoError(t, err, command)
	require.True(t, strings.HasPrefix(string(out), "HTTP/1.1 200 OK\r\n"), "%s", out)
	for _, part := range parts {
		require.Contains(t, string(out), part)
	}
}
