package redis

import (
	"context"
	"fmt"

	goredis "github.com/redis/go-redis/v9"

	"semlb/vectordb"
)

// hashBatch is the number of hashes written or read in one round trip: 1.5 MB with
// 3,072 dimensions.
const hashBatch = 128

// write sets the hashes of records, in as many round trips as they need.
func (c *collection) write(ctx context.Context, records []vectordb.Record) error {
	for len(records) > 0 {
		n := min(len(records), hashBatch)
		mistyped, err := c.writeBatch(ctx, records[:n])
		if err == nil {
			err = c.replace(ctx, mistyped)
		}
		if err != nil {
			return c.connection.failure("write vectors", err)
		}
		records = records[n:]
	}
	return nil
}

// writeBatch sets the hashes of records. It returns those whose keys have another type.
func (c *collection) writeBatch(ctx context.Context, records []vectordb.Record) (mistyped []vectordb.Record, err error) {
	commands := make([]*goredis.IntCmd, len(records))
	_, err = c.client.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for i, r := range records {
			commands[i] = p.HSet(ctx, c.layout.key(r.ID), vectorField, encode(r.Vector))
		}
		return nil
	})
	for i, command := range commands {
		switch err := command.Err(); {
		case isMistyped(err):
			mistyped = append(mistyped, records[i])
		case err != nil:
			return nil, err
		}
	}
	if len(mistyped) == 0 {
		return nil, err // no command has the error of a connection that a password was refused on
	}
	return mistyped, nil
}

// replace deletes the keys of records, which are of another type and which nobody else can
// need, and sets the hashes. Replicas that do so at the same time write the same vectors.
func (c *collection) replace(ctx context.Context, mistyped []vectordb.Record) error {
	for _, r := range mistyped {
		key := c.layout.key(r.ID)
		_, err := c.client.TxPipelined(ctx, func(p goredis.Pipeliner) error {
			p.Del(ctx, key)
			p.HSet(ctx, key, vectorField, encode(r.Vector))
			return nil
		})
		if err != nil {
			return fmt.Errorf("%w: %q: delete it, or give semlb the rights +del +multi +exec: %w", ErrType, key, err)
		}
		c.log.WarnContext(ctx, "replaced a key in redis that held something other than a hash", "key", key)
	}
	return nil
}

// read returns the vectors of those hashes that hold one.
func (c *collection) read(ctx context.Context, ids []string) (map[string][]float32, error) {
	found := make(map[string][]float32, len(ids))
	bad := 0
	for len(ids) > 0 {
		n := min(len(ids), hashBatch)
		replies, err := c.readBatch(ctx, ids[:n])
		if err != nil {
			return nil, err
		}
		for id, blob := range replies {
			if vector, ok := c.layout.decode(blob); ok {
				found[id] = vector
			} else {
				bad++
			}
		}
		ids = ids[n:]
	}
	if bad > 0 {
		c.log.WarnContext(ctx, "skipped entries in redis without a unit vector of this width",
			"entries", bad, "index", c.layout.index)
	}
	return found, nil
}

// readBatch returns the contents of those hashes that exist, by ID.
func (c *collection) readBatch(ctx context.Context, ids []string) (map[string]string, error) {
	commands := make([]*goredis.StringCmd, len(ids))
	// Pipelined fails if any hash is absent, so each command is checked instead.
	_, _ = c.client.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for i, id := range ids {
			commands[i] = p.HGet(ctx, c.layout.key(id), vectorField)
		}
		return nil
	})
	blobs := make(map[string]string, len(ids))
	for i, command := range commands {
		blob, err := command.Result()
		switch {
		case isAbsent(err):
		case err != nil:
			return nil, c.connection.failure("read vectors", err)
		default:
			blobs[ids[i]] = blob
		}
	}
	return blobs, nil
}
