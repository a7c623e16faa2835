package redis

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"net/url"
	"strings"

	"semlb/vectordb"
)

// layoutVersion is part of every name. It changes with the meaning of keys, fields or
// index.
const layoutVersion = "v1"

// vectorField is the field of a hash that holds the vector. The index has no other.
const vectorField = "vector"

// layout is how a collection is kept in the server: one hash for each record, and an
// index over the hashes with a common prefix. All names begin with "kong:", which the
// ACL of a server is likely to permit already.
type layout struct {
	space         vectordb.Space
	index, prefix string
}

func newLayout(c vectordb.Collection) layout {
	model := sha256.Sum256([]byte(c.Model))
	base := fmt.Sprintf("kong:semlb:%s:%s:%s:%d:", layoutVersion,
		url.QueryEscape(cmp.Or(c.Namespace, "default")), hex.EncodeToString(model[:8]), c.Dimensions)
	// The prefix is without the metric: vectors are the same whatever it is.
	return layout{space: c.Space, index: base + "index:" + string(c.Metric), prefix: base + "vector:"}
}

// key returns the name of the hash for an ID.
func (l layout) key(id string) string { return l.prefix + id }

// id returns the ID of a hash.
func (l layout) id(key string) string { return strings.TrimPrefix(key, l.prefix) }

// encode returns a vector in the search module's format: FLOAT32, little-endian.
func encode(vector []float32) []byte {
	blob := make([]byte, 0, 4*len(vector))
	for _, x := range vector {
		blob = binary.LittleEndian.AppendUint32(blob, math.Float32bits(x))
	}
	return blob
}

// decode reads what encode has written. It returns false for anything else that may
// be in the field.
func (l layout) decode(blob string) ([]float32, bool) {
	if len(blob) != 4*l.space.Dimensions {
		return nil, false
	}
	vector := make([]float32, l.space.Dimensions)
	for i := range vector {
		bits := binary.LittleEndian.Uint32([]byte(blob[4*i : 4*i+4]))
		vector[i] = math.Float32frombits(bits)
	}
	_, err := l.space.Length(vector)
	return vector, err == nil
}

// distance converts the server's distance, 1 − cos or the square of L2, into the
// store's. Rounding can take it a little out of range.
func (l layout) distance(d float64) float64 {
	if l.space.Metric == vectordb.Euclidean {
		return min(math.Sqrt(max(d, 0))/2, 1)
	}
	return min(max(d, 0), 2)
}

// metric returns the search module's name for the metric.
func (l layout) metric() string {
	if l.space.Metric == vectordb.Euclidean {
		return "L2"
	}
	return "COSINE"
}
