package cli

import (
	"context"
	"errors"
	"fmt"

	"semlb/config"
	"semlb/demo"
)

// demonstration is the demo LLMs of a configuration: one for each target, so that
// an answer can say which target gave it.
type demonstration struct {
	servers []*demo.Server
}

func startDemo(cfg *config.Config) (*demonstration, error) {
	d := &demonstration{}
	attempts := demo.NewAttempts(0)
	for p := range cfg.Plugins {
		for i := range cfg.Plugins[p].Settings.Targets {
			s, err := demo.Start(demo.AnyPort, demo.New(demo.Options{
				Name:     fmt.Sprintf("target %d", i+1),
				About:    about(&cfg.Plugins[p].Settings.Targets[i]),
				Attempts: attempts,
			}))
			if err != nil {
				return nil, errors.Join(fmt.Errorf("start demo LLM: %w", err), d.close(context.Background()))
			}
			d.servers = append(d.servers, s)
		}
	}
	return d, nil
}

// baseURL is where the demo LLM of a plugin's target listens.
func (d *demonstration) baseURL(target int) string { return d.servers[target].URL() }

func (d *demonstration) close(ctx context.Context) error {
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
