package vectordb

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// hashBatch is the number of hashes written or read in one round trip: with
// 3072 dimensions that is 1.5 MB.
const hashBatch = 128

// write sets the hashes of records, which may be more than fit in one round trip.
func (s *Redis) write(ctx context.Context, records []Record) error {
	for len(records) > 0 {
		n := min(len(records), hashBatch)
		_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, r := range records[:n] {
				p.HSet(ctx, s.names.key(r.ID), vectorField, encode(r.Vector))
			}
			return nil
		})
		if err != nil {
			return s.failure("write vectors", err)
		}
		records = records[n:]
	}
	return nil
}

// read returns the vectors of those hashes which hold one.
func (s *Redis) read(ctx context.Context, ids []string) (map[string][]float32, error) {
	found := make(map[string][]float32, len(ids))
	bad := 0
	for len(ids) > 0 {
		n := min(len(ids), hashBatch)
		replies, err := s.readBatch(ctx, ids[:n])
		if err != nil {
			return nil, err
		}
		for id, blob := range replies {
			if vector, ok := s.space.decode(blob); ok {
				found[id] = vector
			} else {
				bad++
			}
		}
		ids = ids[n:]
	}
	if bad > 0 {
		s.log.WarnContext(ctx, "passed over entries in redis that hold no unit vector of this width",
			"entries", bad, "index", s.names.index)
	}
	return found, nil
}

// readBatch returns the content of those hashes that exist, by ID.
func (s *Redis) readBatch(ctx context.Context, ids []string) (map[string]string, error) {
	commands := make([]*redis.StringCmd, len(ids))
	// An absent hash makes Pipelined return an error, so each command is asked.
	_, _ = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			commands[i] = p.HGet(ctx, s.names.key(id), vectorField)
		}
		return nil
	})
	blobs := make(map[string]string, len(ids))
	for i, command := range commands {
		blob, err := command.Result()
		switch {
		case isAbsent(err):
		case err != nil:
			return nil, s.failure("read vectors", err)
		default:
			blobs[ids[i]] = blob
		}
	}
	return blobs, nil
}
