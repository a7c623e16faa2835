package redis

import (
	"context"
	"fmt"
	"slices"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// indexPoll is the pause between checks of an index that the server is filling. A
// thousand vectors take about 10 ms.
const indexPoll = 5 * time.Millisecond

// indexExists reports whether the server has the index. The error is an unknown command if
// it has no search module.
func (c *collection) indexExists(ctx context.Context) (bool, error) {
	names, err := c.client.FT_List(ctx).Result()
	return slices.Contains(names, c.layout.index), err
}

// createIndex creates the index. If several processes do so at once, or the client has sent
// the command twice, all but one of the commands fail, although the index then exists.
func (c *collection) createIndex(ctx context.Context) error {
	options := &goredis.FTCreateOptions{OnHash: true, Prefix: []any{c.layout.prefix}}
	field := &goredis.FieldSchema{
		FieldName: vectorField,
		FieldType: goredis.SearchFieldTypeVector,
		VectorArgs: &goredis.FTVectorArgs{FlatOptions: &goredis.FTFlatOptions{
			Type:           "FLOAT32",
			Dim:            c.layout.space.Dimensions,
			DistanceMetric: c.layout.metric(),
		}},
	}
	err := c.client.FTCreate(ctx, c.layout.index, options, field).Err()
	if err == nil {
		c.log.InfoContext(ctx, "made index in redis", "index", c.layout.index)
		return nil
	}
	if exists, existsErr := c.indexExists(ctx); existsErr == nil && exists {
		return nil
	}
	return c.connection.failure("make index", err)
}

// awaitIndex checks that the index has the settings of createIndex, and waits until it
// holds every record: until then searches return a part of them, without an error.
func (c *collection) awaitIndex(ctx context.Context) error {
	pause := time.NewTicker(indexPoll)
	defer pause.Stop()
	for {
		info, err := c.client.FTInfo(ctx, c.layout.index).Result()
		if err == nil {
			err = c.compareIndex(info)
		}
		if err != nil {
			return c.connection.failure("look at index", err)
		}
		if info.Indexing == 0 {
			return nil
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return c.connection.failure("wait for index", ctx.Err())
		}
	}
}

// compareIndex returns an [ErrIndex] that names the setting in which the index differs from
// what createIndex creates.
func (c *collection) compareIndex(info goredis.FTInfoResult) error {
	differs := func(format string, args ...any) error {
		return fmt.Errorf("%w: %q: %s", ErrIndex, c.layout.index, fmt.Sprintf(format, args...))
	}
	if got := info.IndexDefinition.Prefixes; !slices.Equal(got, []string{c.layout.prefix}) {
		return differs("prefixes: got %q, want %q", got, c.layout.prefix)
	}
	at := slices.IndexFunc(info.Attributes, func(a goredis.FTAttribute) bool { return a.Attribute == vectorField })
	if at < 0 {
		return differs("field %q is not in it", vectorField)
	}
	field := info.Attributes[at]
	if field.Dim != c.layout.space.Dimensions {
		return differs("dimensions: got %d, want %d", field.Dim, c.layout.space.Dimensions)
	}
	got := [...]string{field.Type, field.DataType, field.DistanceMetric}
	want := [...]string{"VECTOR", "FLOAT32", c.layout.metric()}
	if got != want {
		return differs("field %q: got %q, want %q", vectorField, got, want)
	}
	return nil
}
