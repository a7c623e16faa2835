package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"semlb/config"
	"semlb/demo"
)

// demoLLMs are the LLMs of a demonstration: one for each target, so that a response can
// name the target that sent it. They are started when a configuration first needs them.
type demoLLMs struct {
	attempts *demo.Attempts

	mu      sync.Mutex
	servers map[string]*demo.Server
}

func newDemoLLMs() *demoLLMs {
	return &demoLLMs{attempts: demo.NewAttempts(0), servers: make(map[string]*demo.Server)}
}

// baseURL is where the LLM of an instance's target listens.
func (d *demoLLMs) baseURL(i int, t *config.Target) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	options := demo.Options{
		Name:     fmt.Sprintf("target %d", i+1),
		About:    fmt.Sprintf("weight %d, %q", t.Weight, t.Description),
		Attempts: d.attempts,
	}
	key := options.Name + options.About
	if s := d.servers[key]; s != nil {
		return s.URL(), nil
	}
	s, err := demo.Start(demo.AnyPort, demo.New(options))
	if err != nil {
		return "", fmt.Errorf("start demo LLM: %w", err)
	}
	d.servers[key] = s
	return s.URL(), nil
}

func (d *demoLLMs) stop(log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, s := range d.servers {
		errs = append(errs, s.Close(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		log.Warn("stop demo LLMs", "error", err)
	}
}
