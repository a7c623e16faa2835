package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// Sink takes events in.
type Sink interface {
	// Wants reports whether the sink does anything with events of a kind. The answer
	// must not change.
	Wants(Kind) bool
	// Consume processes one event. Whether it may block depends on the sink's place in
	// [Options].
	Consume(Event)
}

// Options is what a Recorder is made of.
type Options struct {
	// Immediate sinks consume events in the goroutine that records them, and lose none
	// of them. They must not block and must be safe for concurrent use: counters.
	Immediate []Sink
	// Queued sinks consume events one after the other in the recorder's goroutine, and
	// may block. They miss events that find the queue full. Those that implement
	// [io.Closer] are closed after the last event, in the same goroutine.
	Queued []Sink
	// QueueLength and QueueBytes bound the events that wait for the queued sinks, by
	// their number and by the memory they hold; 0 means 8192 and 64 MiB.
	QueueLength int
	QueueBytes  int64
	// Dropped is called, by the goroutine that records, for each event that found the
	// queue full. It must not block; nil ignores drops.
	Dropped func(Kind)
}

// Recorder passes events on to sinks. It never blocks the code that records: when the
// queued sinks fall behind, events are dropped and counted. It is safe for concurrent
// use. A Recorder has one goroutine, which Close ends.
type Recorder struct {
	options Options
	// immediate and queued are the kinds that any sink of that place wants.
	immediate, queued [kinds]bool

	queue   chan Event
	waiting atomic.Int64 // bytes of the events in queue
	close   func()
	// closed is closed by Close, and done by the goroutine when it ends.
	closed, done chan struct{}
	closeErr     error // of the sinks; set before done is closed
}

const (
	defaultQueueLength = 8192
	defaultQueueBytes  = 64 << 20
)

// New makes a recorder and starts its goroutine.
func New(o Options) *Recorder {
	if o.QueueLength == 0 {
		o.QueueLength = defaultQueueLength
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = defaultQueueBytes
	}
	if o.Dropped == nil {
		o.Dropped = func(Kind) {}
	}
	r := &Recorder{
		options: o, immediate: wanted(o.Immediate), queued: wanted(o.Queued),
		queue: make(chan Event, o.QueueLength), closed: make(chan struct{}), done: make(chan struct{}),
	}
	r.close = sync.OnceFunc(func() { close(r.closed) })
	go r.run()
	return r
}

func wanted(sinks []Sink) (wants [kinds]bool) {
	for _, s := range sinks {
		for _, k := range Kinds() {
			wants[k] = wants[k] || s.Wants(k)
		}
	}
	return wants
}

// Record passes an event on. It does not block. Events recorded after Close reach the
// immediate sinks only.
func (r *Recorder) Record(e Event) {
	k := e.Kind()
	if r.immediate[k] {
		deliver(r.options.Immediate, e)
	}
	if r.queued[k] && !r.enqueue(e) {
		r.options.Dropped(k)
	}
}

func (r *Recorder) enqueue(e Event) bool {
	size := int64(e.size())
	if r.waiting.Add(size) > r.options.QueueBytes {
		r.waiting.Add(-size)
		return false
	}
	select {
	case <-r.closed:
	default:
		select {
		case r.queue <- e:
			return true
		default:
		}
	}
	r.waiting.Add(-size)
	return false
}

func deliver(sinks []Sink, e Event) {
	for _, s := range sinks {
		if s.Wants(e.Kind()) {
			s.Consume(e)
		}
	}
}

// run delivers queued events until the recorder is closed and the queue is empty, and
// then closes the sinks.
func (r *Recorder) run() {
	defer close(r.done)
	r.deliverQueued()
	r.closeErr = closeAll(r.options.Queued)
}

func (r *Recorder) deliverQueued() {
	for {
		select {
		case e := <-r.queue:
			r.handle(e)
		case <-r.closed:
			for {
				select {
				case e := <-r.queue:
					r.handle(e)
				default:
					return
				}
			}
		}
	}
}

func (r *Recorder) handle(e Event) {
	if f, ok := e.(*marker); ok {
		close(f.reached)
		return
	}
	r.waiting.Add(-int64(e.size()))
	deliver(r.options.Queued, e)
}

// marker is the event that flush waits for; no sink sees it.
type marker struct{ reached chan struct{} }

func (*marker) Kind() Kind { return kinds }
func (*marker) size() int  { return 0 }

// flush returns when every event that was recorded before has been delivered, or with
// the error of ctx.
func (r *Recorder) flush(ctx context.Context) error {
	f := &marker{reached: make(chan struct{})}
	select {
	case r.queue <- f:
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-f.reached:
		return nil
	case <-r.done: // Close delivered everything
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func closeAll(sinks []Sink) error {
	var errs []error
	for _, s := range sinks {
		if c, ok := s.(io.Closer); ok {
			if err := c.Close(); err != nil {
				errs = append(errs, fmt.Errorf("close sink: %w", err))
			}
		}
	}
	return errors.Join(errs...)
}

// Close delivers what waits, closes the queued sinks, ends the goroutine, and returns the
// errors of the sinks. If that takes longer than ctx, it returns the error of ctx, and the
// goroutine ends when the sink that blocks it returns. It may be called again.
func (r *Recorder) Close(ctx context.Context) error {
	r.close()
	select {
	case <-r.done:
		return r.closeErr
	case <-ctx.Done():
		return ctx.Err()
	}
}
