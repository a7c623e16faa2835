package soak_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"semlb/test/harness"
)

// event is something that happens while requests come in.
type event struct {
	name string
	do   func() error
}

const (
	envoyKilled = "Envoy killed"
	reloaded    = "reload"
)

// events are what happens, in this order and again from the start.
func (s *soak) events() []event {
	reload := event{reloaded, s.reload}
	return []event{
		reload,
		{"Redis restarted, empty", s.restartRedis},
		reload,
		{"embedder restarted", s.restartEmbedder},
		reload,
		{envoyKilled, s.killEnvoy},
	}
}

// disturb makes one event happen after another until ctx ends, starting where the last
// call ended. From calm on it does not kill Envoy, so that the last process runs long
// enough to show whether its memory grows.
func (s *soak) disturb(ctx context.Context, every time.Duration, calm time.Time) error {
	all := s.events()
	for sleep(ctx, every) {
		e := all[s.happened%len(all)]
		s.happened++
		if e.name == envoyKilled && time.Now().After(calm) {
			continue
		}
		if err := e.do(); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		s.mu.Lock()
		s.faults[e.name]++
		s.mu.Unlock()
	}
	return nil
}

func (s *soak) restartRedis() error {
	s.redis.Kill()
	time.Sleep(2 * time.Second)
	s.redis.Restart()
	return nil
}

func (s *soak) restartEmbedder() error {
	s.begin(&s.embedded)
	s.embedder.stop()
	time.Sleep(2 * time.Second)
	err := s.embedder.start(s.embedder.address)
	s.over(&s.embedded)
	return err
}

// killEnvoy kills the child and waits until another one serves.
func (s *soak) killEnvoy() error {
	before, err := s.child()
	if err != nil {
		return err
	}
	s.begin(&s.envoy)
	defer s.over(&s.envoy)
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		return err
	}
	for range 1200 {
		time.Sleep(50 * time.Millisecond)
		if now, err := s.child(); err == nil && now != before && harness.StatusOf(s.URL) != 0 && harness.StatusOf(s.Status+"/readyz") == 200 {
			return nil
		}
	}
	return fmt.Errorf("no Envoy serves a minute after a kill")
}

// child is the process of semlb's Envoy.
func (s *soak) child() (int, error) {
	children, err := s.semlb.Children()
	if err == nil && len(children) == 0 {
		err = errors.New("semlb has no child")
	}
	if err != nil {
		return 0, err
	}
	return children[0], nil
}

// sleep waits for d and reports whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
