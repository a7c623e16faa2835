package vectordb

import (
	"context"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// RouteRedisClientLog sends what the Redis client library would write to stderr, a
// line for every failed connection among other things, to log at debug level. The
// library has one logger for the whole process, so this is for the program to call
// once, before it opens stores; no store calls it. What has failed is in the errors
// of the stores anyway.
//
// Only the fixed text of a line is passed on. Its values may be a server's words,
// which may repeat a password.
func RouteRedisClientLog(log *slog.Logger) { redis.SetLogger(clientLog{log: log}) }

// clientLog is a logger of the client library.
type clientLog struct{ log *slog.Logger }

// Printf is what the library calls.
func (l clientLog) Printf(ctx context.Context, format string, _ ...any) {
	l.log.DebugContext(ctx, "redis client", "text", format)
}
