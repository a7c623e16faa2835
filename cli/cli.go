// Package cli is the commands of semlb: their flags, and what they print.
// Package app does the rest.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"semlb/app"
	"semlb/config"
)

// Environment is what a command may use of the process it runs in.
type Environment struct {
	Stdout, Stderr io.Writer
	// LookupEnv is os.LookupEnv.
	LookupEnv func(string) (string, bool)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// SetMemoryLimit is debug.SetMemoryLimit; nil where the command is not all of the process.
	SetMemoryLimit func(bytes int64) int64
}

// System is the environment of the running process. The program calls it once, at
// its start: it also silences libraries that would write to stderr.
func System() Environment {
	app.SilenceLibraries()
	return Environment{Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv, SetMemoryLimit: debug.SetMemoryLimit}
}

// The exit statuses of commands that fail: what a user can mend, and a bug.
const (
	statusError    = 1
	statusInternal = 2
)

// Main runs a command line and returns the exit status. Errors are sentences on
// Stderr.
func Main(ctx context.Context, args []string, env Environment) int {
	root := newRoot(env)
	root.SetArgs(args)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(env.Stderr, "semlb:"+lead(err.Error()))
		return statusOf(err)
	}
	return 0
}

func statusOf(err error) int {
	var internal *config.InternalError
	if errors.As(err, &internal) {
		return statusInternal
	}
	return statusError
}

func newRoot(env Environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "semlb",
		Short: "Semantic load balancing with fallback for LLM traffic, for Envoy",
		Long: `semlb sends each prompt to the group of models whose description is nearest to it,
and Envoy moves on to the next model of the group when one fails. It reads
configurations of Kong's ai-proxy-advanced plugin.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newRun(env), newServe(env), newValidate(env), newConvert(env), newSchema(env), newExplain(env), newEnvoy(env), newVersion(env),
	)
	return root
}

// lead separates a message from the program's name. A message of several lines begins
// below the name, so that its lines align.
func lead(message string) string {
	if strings.Contains(message, "\n") {
		return "\n" + message
	}
	return " " + message
}
