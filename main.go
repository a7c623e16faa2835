// Command semlb routes LLM requests by meaning, with fallback, for Envoy.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"semlb/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once: it has its default effect again.
	context.AfterFunc(ctx, stop)
	code := cli.Main(ctx, os.Args[1:], cli.System())
	stop()
	os.Exit(code)
}
