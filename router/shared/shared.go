// Package shared shares the state of targets between replicas, through a stream in a
// Redis server. Nothing waits for the server: while it is unavailable, each replica uses
// its local state.
package shared

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"semlb/router"
)

const (
	// queueLength bounds the events that wait for the server; more are dropped.
	queueLength = 1024
	// streamLength is about how many events the server keeps, for replicas that
	// start or were cut off.
	streamLength = 1024
	// streamLife is how long the server keeps a stream without new entries.
	streamLife = 24 * time.Hour
	// callTimeout bounds every exchange with the server, beside the waiting for
	// events.
	callTimeout = 2 * time.Second
	// block is how long one call waits for events.
	block = time.Second
	// pause is the time between tries while the server is unavailable.
	pause = 250 * time.Millisecond
)

// Options is what a Redis is made of.
type Options struct {
	// Key is the stream's. A user of the server needs these rights:
	//
	//	~kong:* -@all +xadd +pexpire +xrevrange +xread +time
	Key string
	// Replica names this process; its own events are not passed back to it.
	Replica string
	// Log gets a line when the server becomes unavailable, and when it is available again.
	Log *slog.Logger
	// Dropped is called for each event that is not shared. It must not block; it may be
	// nil.
	Dropped func()
}

// Redis shares events through a stream in a Redis server.
type Redis struct {
	client  *redis.Client
	options Options
	queue   chan queued
	// writing and reading are true while that fails.
	writing, reading atomic.Bool

	stop, unfollow context.CancelFunc
	done           sync.WaitGroup
}

type queued struct {
	event router.Event
	since time.Time
}

// New makes a Redis that does nothing before Start and Follow. It closes client when
// it is closed.
func New(client *redis.Client, o Options) *Redis {
	if o.Dropped == nil {
		o.Dropped = func() {}
	}
	return &Redis{client: client, options: o, queue: make(chan queued, queueLength), stop: func() {}, unfollow: func() {}}
}

// Publish passes an event on to the other replicas, soon. It does not wait: while
// too many events do, this one is dropped.
func (s *Redis) Publish(e router.Event) {
	select {
	case s.queue <- queued{e, time.Now()}:
	default:
		s.options.Dropped()
	}
}

// Start begins to write what was published.
func (s *Redis) Start() {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.done.Go(func() { s.write(ctx) })
}

// Follow begins to read what other replicas have learned, and what they learned
// before. apply is called by one goroutine.
func (s *Redis) Follow(apply func(router.Event)) {
	ctx, stop := context.WithCancel(context.Background())
	s.unfollow = stop
	s.done.Go(func() { s.read(ctx, apply) })
}

// Unfollow ends that, at the latest after one event more. It does not wait.
func (s *Redis) Unfollow() { s.unfollow() }

// Close ends everything. Events that still wait are dropped. A second call does
// nothing.
func (s *Redis) Close() error {
	s.stop()
	s.unfollow()
	err := s.client.Close() // ends a call that waits for events
	s.done.Wait()
	if err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("close redis client: %w", err)
	}
	return nil
}

// write writes events until ctx ends.
func (s *Redis) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case q := <-s.queue:
			if err := s.add(ctx, q); err != nil {
				s.options.Dropped()
				s.failed(ctx, &s.writing, "write", err)
				s.drain()
				sleep(ctx, pause)
			} else {
				s.worked(&s.writing, "write")
			}
		}
	}
}

// drain drops the events that wait for an unavailable server: they would be outdated
// later.
func (s *Redis) drain() {
	for {
		select {
		case <-s.queue:
			s.options.Dropped()
		default:
			return
		}
	}
}

// add writes an event, with what is left of its time.
func (s *Redis) add(ctx context.Context, q queued) error {
	if q.event.For > 0 {
		if q.event.For -= time.Since(q.since); q.event.For <= 0 {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := s.client.XAdd(ctx, &redis.XAddArgs{
		Stream: s.options.Key, MaxLen: streamLength, Approx: true,
		Values: encode(q.event, s.options.Replica),
	}).Err()
	if err != nil { // the key may be something else, which must not expire
		return err
	}
	return s.client.PExpire(ctx, s.options.Key, streamLife).Err()
}

// read follows the stream until ctx ends.
func (s *Redis) read(ctx context.Context, apply func(router.Event)) {
	r := &reader{Redis: s, apply: apply}
	for ctx.Err() == nil {
		if err := r.step(ctx); err != nil {
			s.failed(ctx, &s.reading, "read", err)
			sleep(ctx, pause)
			continue
		}
		s.worked(&s.reading, "read")
	}
}

// failed and worked log the transitions between available and unavailable, once each.
func (s *Redis) failed(ctx context.Context, state *atomic.Bool, doing string, err error) {
	if ctx.Err() == nil && state.CompareAndSwap(false, true) {
		s.options.Log.Warn("shared target state unavailable; using local state", "doing", doing, "error", s.reason(err))
	}
}

func (s *Redis) worked(state *atomic.Bool, doing string) {
	if state.CompareAndSwap(true, false) {
		s.options.Log.Info("shared target state available again", "doing", doing)
	}
}

// reason is an error without the server's text after the code: some servers repeat a
// password that they could not parse.
func (s *Redis) reason(err error) string {
	var reply redis.Error
	if errors.As(err, &reply) {
		code, _, _ := strings.Cut(reply.Error(), " ")
		if code == "WRONGTYPE" {
			return fmt.Sprintf("the key %s holds something other than a stream: delete it", s.options.Key)
		}
		return "redis answers " + code
	}
	return err.Error()
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// encode and decode are the layout of an entry.
func encode(e router.Event, replica string) []any {
	return []any{
		"from", replica, "kind", string(e.Kind), "target", e.Target,
		"ms", strconv.FormatInt(e.For.Milliseconds(), 10), "token", strconv.FormatUint(uint64(e.Token), 16),
	}
}

func decode(m redis.XMessage) (e router.Event, from string, err error) {
	text := func(name string) string {
		value, _ := m.Values[name].(string)
		return value
	}
	ms, err := strconv.ParseInt(text("ms"), 10, 64)
	token, err2 := strconv.ParseUint(text("token"), 16, 64)
	at, err3 := position(m.ID)
	return router.Event{
		Kind: router.EventKind(text("kind")), Target: text("target"),
		For: time.Duration(ms) * time.Millisecond, Token: router.ProbeToken(token), At: at,
	}, text("from"), errors.Join(err, err2, err3)
}
