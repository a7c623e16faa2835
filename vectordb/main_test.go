package vectordb_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"semlb/vectordb"
)

func TestMain(m *testing.M) {
	vectordb.RouteRedisClientLog(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

// randomRecords returns the same unit vectors each time, with IDs in their order.
func randomRecords(n, dimensions int) []vectordb.Record {
	random := rand.New(rand.NewPCG(uint64(dimensions), 7))
	records := make([]vectordb.Record, n)
	for i := range records {
		records[i] = vectordb.Record{ID: fmt.Sprintf("%05d", i), Vector: make([]float32, dimensions)}
		square := 0.0
		for j := range records[i].Vector {
			x := random.NormFloat64()
			records[i].Vector[j] = float32(x)
			square += x * x
		}
		for j := range records[i].Vector {
			records[i].Vector[j] /= float32(math.Sqrt(square))
		}
	}
	return records
}

// blob is a vector as the search module wants it.
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
