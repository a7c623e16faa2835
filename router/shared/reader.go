package shared

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"semlb/router"
)

// reader is where a replica is in the stream.
type reader struct {
	*Redis
	apply func(router.Event)
	// last is the ID of the last entry that was read; "" before the first.
	last string
}

// step reads what there is, or waits for it a while.
func (r *reader) step(ctx context.Context) error {
	if r.last == "" {
		return r.history(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, block+callTimeout)
	defer cancel()
	streams, err := r.client.XRead(ctx, &redis.XReadArgs{
		Streams: []string{r.options.Key, r.last}, Block: block, Count: streamLength,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, s := range streams {
		if err := r.pass(ctx, s.Messages); err != nil {
			return err
		}
	}
	return nil
}

// history takes over what other replicas learned before this one was there.
func (r *reader) history(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	messages, err := r.client.XRevRangeN(ctx, r.options.Key, "+", "-", streamLength).Result()
	if err != nil {
		return err
	}
	slices.Reverse(messages)
	if err := r.pass(ctx, current(messages)); err != nil {
		return err
	}
	if len(messages) > 0 {
		r.last = messages[len(messages)-1].ID
	} else {
		r.last = "0-0"
	}
	return nil
}

// current drops what later events have made void, so that a replica that starts does
// not go through all the changes there ever were.
func current(messages []redis.XMessage) []redis.XMessage {
	settled := make(map[string]bool)
	var kept []redis.XMessage
	for _, m := range slices.Backward(messages) {
		e, _, err := decode(m)
		if err != nil || settled[e.Target] && e.Kind != router.EventCoolDown {
			continue
		}
		settled[e.Target] = settled[e.Target] || e.Kind == router.EventOpened || e.Kind == router.EventClosed
		kept = append(kept, m)
	}
	slices.Reverse(kept)
	return kept
}

// pass applies the events of other replicas until ctx ends. An invalid entry is
// skipped. The age of an event is by the server's clock alone, which gave it its ID: this
// machine's clock may be another, and jump.
func (r *reader) pass(ctx context.Context, messages []redis.XMessage) error {
	if len(messages) == 0 {
		return nil
	}
	now, err := r.client.Time(ctx).Result()
	if err != nil {
		return err
	}
	for _, m := range messages {
		if ctx.Err() != nil {
			return nil
		}
		r.last = m.ID
		e, from, err := decode(m)
		if err != nil || from == r.options.Replica {
			continue
		}
		e.Age = max(time.Duration(now.UnixMilli()-int64(e.At.Time))*time.Millisecond, 0)
		r.apply(e)
	}
	return nil
}

// position reads the ID of an entry: milliseconds and a sequence number.
func position(id string) (router.Position, error) {
	ms, sequence, _ := strings.Cut(id, "-")
	t, err := strconv.ParseUint(ms, 10, 63)
	n, err2 := strconv.ParseUint(sequence, 10, 64)
	if err := errors.Join(err, err2); err != nil {
		return router.Position{}, fmt.Errorf("read stream ID: %w", err)
	}
	return router.Position{Time: t, Sequence: n}, nil
}
