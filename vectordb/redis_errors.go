package vectordb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrRedisAuth is what an error wraps when the server does not accept the username
// and password, or wants some.
var ErrRedisAuth = errors.New("username or password refused")

// ErrRedisIndex is what an error wraps when an index of the store's name is there
// and is another one. Nothing in this package makes such an index; whoever has made
// it has to drop it.
var ErrRedisIndex = errors.New("index is not as expected")

// errWithheld stands for a server's answer that repeats the password, as some do
// when they do not know a command.
var errWithheld = errors.New("answer withheld: it holds the password")

// failure is the error of a store for what went wrong while doing something. It is
// a context.DeadlineExceeded for every kind of timeout.
func (s *Redis) failure(doing string, err error) error {
	return fmt.Errorf("%s at redis %s: %w", doing, s.options.Addr, s.explain(err))
}

func (s *Redis) explain(err error) error {
	if isAuth(err) {
		return ErrRedisAuth
	}
	if s.options.Password != "" && strings.Contains(err.Error(), s.options.Password) {
		return errWithheld
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	if errors.Is(err, io.EOF) && !s.options.SSL {
		return fmt.Errorf("connection closed by the server, which may want ssl: %w", err)
	}
	return err
}

// isAuth reports whether the server refuses the username or the password. The last
// of the texts is of a server that has none.
func isAuth(err error) bool {
	return redis.IsAuthError(err) || hasReply(err, "without any password configured")
}

// isUnknownCommand reports whether the server lacks the command.
func isUnknownCommand(err error) bool { return hasReply(err, "unknown command") }

// isIndexLost reports whether the server no longer has the index, in the words of
// the module's versions, or no longer has the module.
func isIndexLost(err error) bool {
	return isUnknownCommand(err) || hasReply(err, "no such index") ||
		hasReply(err, "unknown index name") || hasReply(err, "index not found")
}

// isAbsent reports whether a hash or its field does not exist, or the key is of a
// type that the store does not write.
func isAbsent(err error) bool { return errors.Is(err, redis.Nil) || hasReply(err, "WRONGTYPE") }

// hasReply reports whether an error is an answer of the server with some text in
// it, in upper or lower case.
func hasReply(err error, text string) bool {
	var reply redis.Error
	return errors.As(err, &reply) && strings.Contains(strings.ToLower(reply.Error()), strings.ToLower(text))
}
