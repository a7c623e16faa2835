package vectordb

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// unitTolerance is how far the length of a vector may be from 1. Vectors that were
// rounded to 16-bit numbers or to a few printed digits are well within.
const unitTolerance = 1e-3

// Metric is a way to measure the distance between two unit vectors. Every metric is
// 0 for the same direction and grows with the angle. The names are those of the
// plugin's vectordb.distance_metric.
type Metric string

// The metrics of the plugin's schema.
const (
	// Cosine is 1 − cos, from 0 to 2.
	Cosine Metric = "cosine"
	// Euclidean is half the L2 distance of the unit vectors, from 0 to 1.
	Euclidean Metric = "euclidean"
)

// Space is what the vectors of one store have in common.
type Space struct {
	// Dimensions is the width of the vectors, 1 or more.
	Dimensions int
	// Metric measures distances.
	Metric Metric
}

// Validate returns an error that names the field that is wrong, if any.
func (s Space) Validate() error {
	if s.Dimensions < 1 {
		return fmt.Errorf("dimensions: got %d, want 1 or more", s.Dimensions)
	}
	if s.Metric != Cosine && s.Metric != Euclidean {
		return fmt.Errorf("metric: got %q, want %q or %q", s.Metric, Cosine, Euclidean)
	}
	return nil
}

// Collection names the vectors of one store within a database that holds those of
// many stores. A search sees every vector of its collection, those that other
// processes have stored included, and none of another collection.
type Collection struct {
	// Namespace keeps apart vectors that must not be compared; "default" if empty.
	Namespace string
	// Model names the embedding model and the version of its weights. It is required.
	Model string
	Space
}

// Length returns the length of a vector that a store of this space can keep, and an
// [ErrVector] for any other. Vectors with NaN or infinity in them fail too, because
// their length is not finite.
func (s Space) Length(vector []float32) (float64, error) {
	if len(vector) != s.Dimensions {
		return 0, fmt.Errorf("%w: got %d dimensions, want %d", ErrVector, len(vector), s.Dimensions)
	}
	length := math.Sqrt(dot(vector, vector))
	if !(math.Abs(length-1) <= unitTolerance) {
		return 0, fmt.Errorf("%w: got length %g, want 1", ErrVector, length)
	}
	return length, nil
}

// Own returns a copy of records for a store to keep: one record for each ID, the
// last one, ordered by ID. It returns an [ErrRecord] or an [ErrVector] if any of the
// records cannot be kept.
func (s Space) Own(records []Record) ([]Record, error) {
	owned := slices.Clone(records)
	for i, r := range owned {
		if r.ID == "" {
			return nil, ErrRecord
		}
		// Copied before it is checked: the caller may write to its own meanwhile.
		owned[i].Vector = slices.Clone(r.Vector)
		if _, err := s.Length(owned[i].Vector); err != nil {
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
func (s Space) distance(cos float64) float64 {
	d := min(max(1-cos, 0), 2)
	if s.Metric == Euclidean {
		// |a−b|² = 2·(1 − cos) for unit vectors.
		return math.Sqrt(d / 2)
	}
	return d
}

// dot is the scalar product of two vectors of the same width. Four independent
// accumulators let the CPU overlap the additions.
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
