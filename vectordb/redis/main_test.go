package redis_test

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"math"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"semlb/vectordb/redis"
	"semlb/vectordb/redistest"
)

func TestMain(m *testing.M) {
	redis.RouteClientLog(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m, redistest.IgnoreProbe())
}

var (
	east  = []float32{1, 0}
	north = []float32{0, 1}
)

// blob is a vector in the search module's format.
func blob(vector []float32) []byte {
	var bytes []byte
	for _, x := range vector {
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(x))
	}
	return bytes
}

// lockedBuffer is a buffer for loggers of several goroutines.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
