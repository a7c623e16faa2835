package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/report"
)

func at(file string, line int) config.Position { return config.Position{File: file, Line: line} }

func TestFaultsAreInTheOrderOfFilesAndLinesWithoutRepetitions(t *testing.T) {
	var r report.Report
	require.NoError(t, r.Err(nil))
	r.Want(at("b", 1), "x", "1", "2")
	r.Problem(at("a", 9), "", "later %s", "line")
	r.Problem(at("a", 2), "y", "earlier line")
	r.Want(at("b", 1), "x", "1", "2")
	require.EqualError(t, r.Err([]string{"a", "b"}), "a:2: y: earlier line\na:9: later line\nb:1: x: got 1, want 2")
	require.Equal(t, 4, r.Count())
	r.Truncate(1)
	require.EqualError(t, r.Err([]string{"a", "b"}), "b:1: x: got 1, want 2")
}

func TestVeryManyFaultsAreCutShort(t *testing.T) {
	var r report.Report
	for i := range 10_000 {
		r.Problem(at("a", i+1), "", "wrong")
		r.Warn(at("a", i+1), "", "odd")
	}
	require.True(t, r.Full())
	require.Less(t, len(r.Warnings()), 3000)
	var faults config.Faults
	require.ErrorAs(t, r.Err([]string{"a"}), &faults)
	require.Len(t, faults, 1001)
	require.Equal(t, "a: further faults are not shown", faults[1000].Error())
}

func TestNearestNameIsSuggested(t *testing.T) {
	known := map[string]bool{"name": true, "tags": true, "algorithm": true, "latency": true}
	for name, want := range map[string]string{
		"nmae": "name", "Name": "name", "tag": "tags", "algoritm": "algorithm", "alogrithm": "algorithm", "colour": "", "x": "",
		strings.Repeat("name", 100): "",
	} {
		require.Equal(t, want, report.Nearest(name, known), name)
	}
	require.Equal(t, `, did you mean "name"?`, report.Suggest("nmae", known))
	require.Empty(t, report.Suggest("colour", known))
}

func TestValuesAreCutToWhatAMessageShows(t *testing.T) {
	long := strings.Repeat("é", 100)
	require.Equal(t, strings.Repeat("é", 30)+"…", report.Shorten(long), "characters stay whole")
	require.Equal(t, `"a\"b"`, report.Quote(`a"b`))
	require.Equal(t, "1 element, 2 elements", report.Count(1, "element")+", "+report.Count(2, "element"))
	require.Equal(t, "a.b[2]", report.Index(report.Join(report.Join("", "a"), "b"), 2))
}
