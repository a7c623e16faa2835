// Package app is the running program: it builds everything from configuration and
// options, connects them, serves them, and replaces them when the configuration
// changes. It alone knows concrete types.
package app

import (
	"log/slog"

	"semlb/vectordb/redis"
)

// SilenceLibraries discards the Redis client library's own log, which would repeat on
// the process's stderr what the program's errors and log lines say already. The setting
// belongs to the process; call it once at the start.
func SilenceLibraries() { redis.RouteClientLog(slog.New(slog.DiscardHandler)) }
