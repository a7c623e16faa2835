package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

var (
	// ErrAuth is wrapped by errors about credentials: the server refuses the username
	// and password, or requires some.
	ErrAuth = errors.New("username or password refused")
	// ErrIndex is wrapped by errors about an index that has the store's name and other
	// settings. No store creates such an index; it has to be dropped by its creator.
	ErrIndex = errors.New("index is not as expected")
	// ErrType is wrapped by errors about a key of the store's that holds something other than
	// a hash, which the store may not replace.
	ErrType = errors.New("key does not hold a hash")

	// errWithheld stands for an answer of the server that repeats the password. Some
	// servers do that for commands that they do not know.
	errWithheld = errors.New("answer withheld: it holds the password")
	// errPartial is the answer of a server that has stopped a search half-way.
	errPartial = errors.New("server returned a part of the answer")
)

// failure returns the error of a call: the action that failed, the server and the
// cause. It is a [context.DeadlineExceeded] for every kind of timeout.
func (c Connection) failure(action string, err error) error {
	return fmt.Errorf("%s at redis %s: %w", action, c.Addr, c.explain(err))
}

func (c Connection) explain(err error) error {
	if isAuth(err) {
		return ErrAuth
	}
	if !c.Password.IsZero() && strings.Contains(err.Error(), c.Password.Reveal()) {
		return errWithheld
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	if errors.Is(err, io.EOF) && !c.SSL {
		return fmt.Errorf("connection closed by the server, which may want ssl: %w", err)
	}
	return err
}

// isAuth reports whether the server refuses the username or the password. The text is
// that of a server without users.
func isAuth(err error) bool {
	return goredis.IsAuthError(err) || hasReply(err, "without any password configured")
}

// isUnknownCommand reports whether the server lacks the command.
func isUnknownCommand(err error) bool { return hasReply(err, "unknown command") }

// isIndexLost reports whether the server no longer has the index, in the words of
// several versions of the module, or no longer has the module.
func isIndexLost(err error) bool {
	return isUnknownCommand(err) || hasReply(err, "no such index") ||
		hasReply(err, "unknown index name") || hasReply(err, "index not found")
}

// isAbsent reports whether a hash or its field does not exist, or the key has a type
// that the store does not write.
func isAbsent(err error) bool { return errors.Is(err, goredis.Nil) || isMistyped(err) }

// isMistyped reports whether a key holds something other than a hash.
func isMistyped(err error) bool { return hasReply(err, "WRONGTYPE") }

// hasReply reports whether err is an answer of the server that contains text in upper
// or lower case.
func hasReply(err error, text string) bool {
	var reply goredis.Error
	return errors.As(err, &reply) && strings.Contains(strings.ToLower(reply.Error()), strings.ToLower(text))
}
