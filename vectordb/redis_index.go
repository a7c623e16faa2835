package vectordb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// indexPoll is the pause between looks at an index that is being filled. A thousand
// vectors take about 10 ms.
const indexPoll = 5 * time.Millisecond

// serverCheck is what a look at the server found.
type serverCheck struct {
	// dials is the number of connections made by then. It is out of date with the
	// next one.
	dials uint64
	// search says that the server has the index.
	search bool
	// restored is the number of records that were put back.
	restored int
}

// ready returns the last look at the server, or takes a new one where the last one
// says nothing about the connections of now.
func (s *Redis) ready(ctx context.Context) (*serverCheck, error) {
	if c := s.valid(); c != nil {
		return c, nil
	}
	done, err := s.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if c := s.valid(); c != nil {
		return c, nil // The caller before this one has done it.
	}
	return s.look(ctx)
}

// turn waits for the turn to look, which ends with a call of what it returns.
func (s *Redis) turn(ctx context.Context) (done func(), err error) {
	select {
	case s.checking <- struct{}{}:
		return func() { <-s.checking }, nil
	case <-ctx.Done():
		return nil, s.failure("wait for another check", ctx.Err())
	}
}

// look looks at the server, whose turn the caller has. Until it knows better, the last
// look counts.
func (s *Redis) look(ctx context.Context) (*serverCheck, error) {
	c, err := s.check(ctx)
	if err != nil {
		s.checked.Store(nil)
		return nil, err
	}
	s.checked.Store(c)
	return c, nil
}

// valid returns the last look at the server unless it is out of date.
func (s *Redis) valid() *serverCheck {
	if c := s.checked.Load(); c != nil && c.dials == s.dials.Load() {
		return c
	}
	return nil
}

// doubt has the next call look again, unless somebody has since c.
func (s *Redis) doubt(c *serverCheck) { s.checked.CompareAndSwap(c, nil) }

// check looks at the server, makes the index unless it is there, and puts back the
// records that are not. The connections are counted after the first answer: it came
// over one of them, and a later one may lead elsewhere.
func (s *Redis) check(ctx context.Context) (*serverCheck, error) {
	indexes, search, err := s.indexes(ctx)
	if err != nil {
		return nil, err
	}
	c := &serverCheck{dials: s.dials.Load(), search: search}
	if search && !slices.Contains(indexes, s.names.index) {
		if err := s.create(ctx); err != nil {
			return nil, err
		}
	}
	if c.restored, err = s.putBack(ctx); err != nil {
		return nil, err
	}
	if search {
		if err := s.awaitIndex(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// indexes lists the server's indexes, or reports that it has no search. Where no
// search is wanted, it only has the server answer.
func (s *Redis) indexes(ctx context.Context) (names []string, search bool, err error) {
	if s.options.InProcess {
		_, err := s.readBatch(ctx, []string{""})
		return nil, false, err
	}
	names, err = s.client.FT_List(ctx).Result()
	if isUnknownCommand(err) {
		if !s.searchless.Swap(true) {
			s.log.WarnContext(ctx, "redis has no search module: it keeps the vectors, this process compares them",
				"addr", s.options.Addr)
		}
		return nil, false, nil
	}
	if err != nil {
		return nil, false, s.failure("list indexes", err)
	}
	s.searchless.Store(false)
	return names, true, nil
}

// create makes the index. Of many processes that do it at once, and of a command
// that was sent twice, one is told that it has; so the list decides.
func (s *Redis) create(ctx context.Context) error {
	options := &redis.FTCreateOptions{OnHash: true, Prefix: []any{s.names.prefix}}
	field := &redis.FieldSchema{
		FieldName: vectorField,
		FieldType: redis.SearchFieldTypeVector,
		VectorArgs: &redis.FTVectorArgs{FlatOptions: &redis.FTFlatOptions{
			Type:           "FLOAT32",
			Dim:            s.space.dimensions,
			DistanceMetric: redisMetric(s.space.metric),
		}},
	}
	err := s.client.FTCreate(ctx, s.names.index, options, field).Err()
	if err == nil {
		s.log.InfoContext(ctx, "made index in redis", "index", s.names.index)
		return nil
	}
	names, listErr := s.client.FT_List(ctx).Result()
	if listErr == nil && slices.Contains(names, s.names.index) {
		return nil
	}
	return s.failure("make index", err)
}

// putBack writes the records which this process knows and the server lacks, and
// returns how many those are.
func (s *Redis) putBack(ctx context.Context) (int, error) {
	known := s.known.records()
	ids := make([]string, len(known))
	for i, r := range known {
		ids[i] = r.ID
	}
	kept, err := s.read(ctx, ids)
	if err != nil {
		return 0, err
	}
	lost := slices.DeleteFunc(known, func(r Record) bool {
		_, ok := kept[r.ID]
		return ok
	})
	if len(lost) == 0 {
		return 0, nil
	}
	if err := s.write(ctx, lost); err != nil {
		return 0, err
	}
	s.log.InfoContext(ctx, "put vectors back into redis", "vectors", len(lost), "index", s.names.index)
	return len(lost), nil
}

// awaitIndex checks that the index is the one that create would have made, and
// waits until it holds all that it found: until then searches answer with a part of
// it, and without an error.
func (s *Redis) awaitIndex(ctx context.Context) error {
	pause := time.NewTicker(indexPoll)
	defer pause.Stop()
	for {
		info, err := s.client.FTInfo(ctx, s.names.index).Result()
		if err != nil {
			return s.failure("look at index", err)
		}
		if err := s.compare(info); err != nil {
			return s.failure("look at index", err)
		}
		if info.Indexing == 0 {
			return nil
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return s.failure("wait for index", ctx.Err())
		}
	}
}

// compare says in what an index differs from the one that create makes.
func (s *Redis) compare(info redis.FTInfoResult) error {
	if got := info.IndexDefinition.Prefixes; !slices.Equal(got, []string{s.names.prefix}) {
		return fmt.Errorf("%w: %q: prefixes: got %q, want %q", ErrRedisIndex, s.names.index, got, s.names.prefix)
	}
	at := slices.IndexFunc(info.Attributes, func(a redis.FTAttribute) bool { return a.Attribute == vectorField })
	if at < 0 {
		return fmt.Errorf("%w: %q: field %q is not in it", ErrRedisIndex, s.names.index, vectorField)
	}
	field := info.Attributes[at]
	if field.Dim != s.space.dimensions {
		return fmt.Errorf("%w: %q: dimensions: got %d, want %d", ErrRedisIndex, s.names.index, field.Dim, s.space.dimensions)
	}
	got := [...]string{field.Type, field.DataType, field.DistanceMetric}
	want := [...]string{"VECTOR", "FLOAT32", redisMetric(s.space.metric)}
	if got != want {
		return fmt.Errorf("%w: %q: field %q: got %q, want %q", ErrRedisIndex, s.names.index, vectorField, got, want)
	}
	return nil
}

// redisMetric is the search module's name for a metric.
func redisMetric(m Metric) string {
	if m == Euclidean {
		return "L2"
	}
	return "COSINE"
}
