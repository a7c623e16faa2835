package vectordb

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// unitTolerance is how far the length of a vector may be from 1. Vectors that
// have been through 16-bit numbers or a few printed digits are still well within.
const unitTolerance = 1e-3

// space is what the vectors of a store have in common.
type space struct {
	dimensions int
	metric     Metric
}

// newSpace checks what the owner of a store asks for.
func newSpace(dimensions int, metric Metric) (space, error) {
	if dimensions < 1 {
		return space{}, fmt.Errorf("dimensions: got %d, want 1 or more", dimensions)
	}
	if metric != Cosine && metric != Euclidean {
		return space{}, fmt.Errorf("metric: got %q, want %q or %q", metric, Cosine, Euclidean)
	}
	return space{dimensions: dimensions, metric: metric}, nil
}

// length returns the length of a vector that the store can keep, and an ErrVector
// for any other. NaN and infinity need no look of their own: they end up in the
// length.
func (s space) length(vector []float32) (float64, error) {
	if len(vector) != s.dimensions {
		return 0, fmt.Errorf("%w: got %d dimensions, want %d", ErrVector, len(vector), s.dimensions)
	}
	length := math.Sqrt(dot(vector, vector))
	if !(math.Abs(length-1) <= unitTolerance) {
		return 0, fmt.Errorf("%w: got length %g, want 1", ErrVector, length)
	}
	return length, nil
}

// own returns the store's own copy of records, one for each ID, ordered by ID, or
// says what is wrong with any of them. The copy comes first: what is kept is then
// what was checked.
func (s space) own(records []Record) ([]Record, error) {
	owned := slices.Clone(records)
	for i, r := range owned {
		if r.ID == "" {
			return nil, ErrRecord
		}
		owned[i].Vector = slices.Clone(r.Vector)
		if _, err := s.length(owned[i].Vector); err != nil {
			return nil, fmt.Errorf("record %q: %w", r.ID, err)
		}
	}
	return lastOfEachID(owned), nil
}

// lastOfEachID orders records by ID in place, and drops those that a later one
// replaces.
func lastOfEachID(records []Record) []Record {
	slices.SortStableFunc(records, func(a, b Record) int { return strings.Compare(a.ID, b.ID) })
	kept := records[:0]
	for i, r := range records {
		if i+1 == len(records) || records[i+1].ID != r.ID {
			kept = append(kept, r)
		}
	}
	return kept
}

// distance turns the cosine of two vectors into their distance.
func (s space) distance(cos float64) float64 {
	d := min(max(1-cos, 0), 2)
	if s.metric == Euclidean {
		// |a−b|² = 2·(1 − cos) for unit vectors.
		return math.Sqrt(d / 2)
	}
	return d
}

// dot is the scalar product of two vectors of the same width. Four sums at once
// keep the processor from waiting for one.
func dot(a, b []float32) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 += float64(a[0]) * float64(b[0])
		s1 += float64(a[1]) * float64(b[1])
		s2 += float64(a[2]) * float64(b[2])
		s3 += float64(a[3]) * float64(b[3])
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s0 += float64(a[i]) * float64(b[i])
	}
	return s0 + s1 + s2 + s3
}

// encode writes a vector as Redis's search wants it: FLOAT32, little-endian.
func encode(vector []float32) []byte {
	blob := make([]byte, 0, 4*len(vector))
	for _, x := range vector {
		blob = binary.LittleEndian.AppendUint32(blob, math.Float32bits(x))
	}
	return blob
}

// decode reads back what encode wrote. It reports false for anything that the
// store would not have written.
func (s space) decode(blob string) ([]float32, bool) {
	if len(blob) != 4*s.dimensions {
		return nil, false
	}
	vector := make([]float32, s.dimensions)
	for i := range vector {
		bits := binary.LittleEndian.Uint32([]byte(blob[4*i : 4*i+4]))
		vector[i] = math.Float32frombits(bits)
	}
	_, err := s.length(vector)
	return vector, err == nil
}
