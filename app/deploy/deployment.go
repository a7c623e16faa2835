package deploy

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"semlb/access"
	"semlb/app/build"
)

// deployment is the instances of a configuration and the gate before them, with the
// goroutines that keep the instances' descriptions embedded.
type deployment struct {
	*build.Instances
	gate       *access.Gate
	cancel     context.CancelFunc
	goroutines sync.WaitGroup
	tried      chan struct{} // closed when each instance has tried to embed once
	replacedAt time.Time
}

func start(instances *build.Instances, descriptions *Descriptions, gate *access.Gate) *deployment {
	ctx, cancel := context.WithCancel(context.Background())
	d := &deployment{Instances: instances, gate: gate, cancel: cancel, tried: make(chan struct{})}
	var tries sync.WaitGroup
	tries.Add(len(instances.List))
	for _, i := range instances.List {
		d.goroutines.Go(func() { descriptions.keep(ctx, i, sync.OnceFunc(tries.Done)) })
	}
	d.goroutines.Go(func() {
		tries.Wait() // ends when each instance has tried, or its goroutine has returned
		close(d.tried)
	})
	return d
}

// end stops the goroutines and closes the instances.
func (d *deployment) end(log *slog.Logger) {
	d.cancel()
	d.goroutines.Wait()
	if err := d.Close(); err != nil {
		log.Warn("close configuration", "error", err)
	}
}
