package redis

import (
	"log/slog"

	goredis "github.com/redis/go-redis/v9"
)

// collection sends the commands of a store to its server. It keeps no state: what was
// found or written is the [Store]'s to remember.
type collection struct {
	client     *goredis.Client
	connection Connection
	layout     layout
	log        *slog.Logger
}
