// Package storetest is the contract of vectordb.Store as tests.
package storetest

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/vectordb"
)

// width of the vectors in these tests.
const width = 8

// closeTo is the tolerance of distances: stores compute with 32-bit numbers.
const closeTo = 1e-6

// Open returns an empty store of vectors of a width, compared by metric. It closes
// the store when the test ends, unless the test does.
type Open func(t *testing.T, dimensions int, metric vectordb.Metric) vectordb.Store

// Run tests the stores that open returns. Each test opens at least one.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"distances are exact":                 testDistances,
		"a vector has distance 0 from itself": testItself,
		"matches come nearest first":          testOrder,
		"ties are ordered by ID":              testTies,
		"ties are cut by ID":                  testCutTies,
		"k bounds the matches":                testBound,
		"an empty store finds nothing":        testEmpty,
		"an upsert replaces":                  testReplace,
		"the last of one ID counts":           testTwice,
		"get returns what was stored":         testGet,
		"get leaves out what is absent":       testGetAbsent,
		"IDs may be any text":                 testIDs,
		"bad records leave nothing behind":    testBadRecords,
		"bad queries are refused":             testBadQueries,
		"vectors are not shared":              testSharing,
		"many records are kept":               testMany,
		"calls may be concurrent":             testConcurrency,
		"an ended context ends a call":        testContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// at returns the unit vector at an angle from the first axis, in degrees.
func at(degrees float64) []float32 {
	v := make([]float32, width)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	v[0], v[1] = float32(cos), float32(sin)
	return v
}

func upsert(t *testing.T, s vectordb.Store, records ...vectordb.Record) {
	t.Helper()
	require.NoError(t, s.Upsert(t.Context(), records...))
}

func search(t *testing.T, s vectordb.Store, vector []float32, k int) []vectordb.Match {
	t.Helper()
	matches, err := s.Search(t.Context(), vector, k)
	require.NoError(t, err)
	return matches
}

// ids returns the IDs of matches in their order.
func ids(matches []vectordb.Match) []string {
	names := make([]string, len(matches))
	for i, m := range matches {
		names[i] = m.ID
	}
	return names
}

func testDistances(t *testing.T, open Open) {
	for _, tt := range []struct {
		degrees, cosine, euclidean float64
	}{
		{0, 0, 0},
		{45, 1 - math.Sqrt2/2, 0.3826834},
		{60, 0.5, 0.5},
		{90, 1, math.Sqrt2 / 2},
		{180, 2, 1},
	} {
		t.Run(fmt.Sprintf("%v degrees", tt.degrees), func(t *testing.T) {
			for metric, want := range map[vectordb.Metric]float64{
				vectordb.Cosine: tt.cosine, vectordb.Euclidean: tt.euclidean,
			} {
				s := open(t, width, metric)
				upsert(t, s, vectordb.Record{ID: "a", Vector: at(0)})
				matches := search(t, s, at(tt.degrees), 1)
				require.Len(t, matches, 1)
				require.Equal(t, "a", matches[0].ID)
				require.InDelta(t, want, matches[0].Distance, closeTo, metric)
			}
		})
	}
}

func testItself(t *testing.T, open Open) {
	for _, metric := range []vectordb.Metric{vectordb.Cosine, vectordb.Euclidean} {
		s := open(t, width, metric)
		for degrees := 0.5; degrees < 360; degrees += 7 {
			upsert(t, s, vectordb.Record{ID: "a", Vector: at(degrees)})
			matches := search(t, s, at(degrees), 1)
			require.Len(t, matches, 1)
			require.GreaterOrEqual(t, matches[0].Distance, 0.0)
			require.InDelta(t, 0, matches[0].Distance, closeTo)
		}
	}
}

func testOrder(t *testing.T, open Open) {
	for _, metric := range []vectordb.Metric{vectordb.Cosine, vectordb.Euclidean} {
		s := open(t, width, metric)
		upsert(t, s,
			vectordb.Record{ID: "far", Vector: at(170)},
			vectordb.Record{ID: "near", Vector: at(-10)},
			vectordb.Record{ID: "middle", Vector: at(80)},
		)
		require.Equal(t, []string{"near", "middle", "far"}, ids(search(t, s, at(0), 3)))
	}
}

func testTies(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	for _, id := range []string{"c", "a", "d", "b"} {
		upsert(t, s, vectordb.Record{ID: id, Vector: at(30)})
	}
	require.Equal(t, []string{"a", "b", "c", "d"}, ids(search(t, s, at(0), 4)))
}

func testCutTies(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	upsert(t, s, vectordb.Record{ID: "nearest", Vector: at(1)})
	for i := range 40 { // in descending order of IDs
		upsert(t, s, vectordb.Record{ID: fmt.Sprintf("%02d", 39-i), Vector: at(30)})
	}
	require.Equal(t, []string{"nearest", "00", "01"}, ids(search(t, s, at(0), 3)))
}

func testBound(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	upsert(t, s, vectordb.Record{ID: "a", Vector: at(0)}, vectordb.Record{ID: "b", Vector: at(10)})
	require.Equal(t, []string{"a"}, ids(search(t, s, at(0), 1)))
	require.Equal(t, []string{"a", "b"}, ids(search(t, s, at(0), 2)))
	require.Equal(t, []string{"a", "b"}, ids(search(t, s, at(0), 1000)))
	require.Empty(t, search(t, s, at(0), 0))
	require.Empty(t, search(t, s, at(0), -1))
}

func testEmpty(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	require.Empty(t, search(t, s, at(0), 3))
	upsert(t, s)
	require.Empty(t, search(t, s, at(0), 3))
}

func testReplace(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	upsert(t, s, vectordb.Record{ID: "a", Vector: at(0)}, vectordb.Record{ID: "b", Vector: at(50)})
	upsert(t, s, vectordb.Record{ID: "a", Vector: at(90)})
	matches := search(t, s, at(0), 9)
	require.Equal(t, []string{"b", "a"}, ids(matches))
	require.InDelta(t, 1, matches[1].Distance, closeTo)
}

func testTwice(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	upsert(t, s, vectordb.Record{ID: "a", Vector: at(0)}, vectordb.Record{ID: "a", Vector: at(60)})
	matches := search(t, s, at(0), 9)
	require.Len(t, matches, 1)
	require.InDelta(t, 0.5, matches[0].Distance, closeTo)
}

func testGet(t *testing.T, open Open) {
	s := open(t, width, vectordb.Euclidean)
	upsert(t, s, vectordb.Record{ID: "a", Vector: at(12)}, vectordb.Record{ID: "b", Vector: at(34)})
	got, err := s.Get(t.Context(), "b", "a", "a")
	require.NoError(t, err)
	require.Equal(t, map[string][]float32{"a": at(12), "b": at(34)}, got)
}

func testGetAbsent(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	upsert(t, s, vectordb.Record{ID: "a", Vector: at(0)})
	got, err := s.Get(t.Context(), "absent", "a")
	require.NoError(t, err)
	require.Equal(t, map[string][]float32{"a": at(0)}, got)
	got, err = s.Get(t.Context())
	require.NoError(t, err)
	require.Empty(t, got)
}

func testIDs(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	for _, id := range []string{" ", "a b", "ä:ö", "{x}*?[y]", "line\nbreak\x00", "kong:semlb:v1:", "-@vector:[1]"} {
		upsert(t, s, vectordb.Record{ID: id, Vector: at(0)}, vectordb.Record{ID: "other", Vector: at(90)})
		got, err := s.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, map[string][]float32{id: at(0)}, got)
		require.Equal(t, id, search(t, s, at(0), 1)[0].ID)
		upsert(t, s, vectordb.Record{ID: id, Vector: at(180)})
	}
}
