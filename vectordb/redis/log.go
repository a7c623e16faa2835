package redis

import (
	"context"
	"log/slog"

	goredis "github.com/redis/go-redis/v9"
)

// RouteClientLog sends the log of the Redis client library, which goes to stderr
// otherwise, to log at debug level. The library has one logger for the whole process,
// so the program calls this once, before it opens stores. The stores' errors tell of
// every failure anyway.
//
// Only the fixed text of a line is passed on. Its values may quote a server, which may
// quote the password.
func RouteClientLog(log *slog.Logger) { goredis.SetLogger(clientLog{log: log}) }

// clientLog is a logger of the client library.
type clientLog struct{ log *slog.Logger }

// Printf logs the format without its values.
func (l clientLog) Printf(ctx context.Context, format string, _ ...any) {
	l.log.DebugContext(ctx, "redis client", "text", format)
}
