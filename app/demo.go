package app

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"semlb/config"
	"semlb/demo"
)

// demonstration is the demo LLMs: one for each target, so that an answer can say
// which target gave it. They are started when a configuration first needs them.
type demonstration struct {
	attempts *demo.Attempts

	mu      sync.Mutex
	servers map[string]*demo.Server
}

func newDemonstration() *demonstration {
	return &demonstration{attempts: demo.NewAttempts(0), servers: make(map[string]*demo.Server)}
}

// baseURL is where the demo LLM of a plugin's target listens.
func (d *demonstration) baseURL(i int, t *config.Target) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	options := demo.Options{Name: fmt.Sprintf("target %d", i+1), About: about(t), Attempts: d.attempts}
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

func (d *demonstration) close(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, s := range d.servers {
		errs = append(errs, s.Close(ctx))
	}
	return errors.Join(errs...)
}

// about is what a person knows a target by.
func about(t *config.Target) string {
	return fmt.Sprintf("weight %d, %q", t.Weight, t.Description)
}
