// Package faults_test injects every fault of the project's list, one test per row: on a
// real Envoy where possible, otherwise on the gRPC stream between Envoy and semlb. Each
// row ends with what was done and seen; `make faults` prints that table.
package faults_test

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// rows are the results; TestMain prints them.
var rows table

func TestMain(m *testing.M) {
	harness.Main(m, func(code int) int {
		rows.print(os.Stdout)
		if missing := rows.missing(); code == 0 && wholeRun() && len(missing) > 0 {
			fmt.Printf("rows without a test: %v\n", missing)
			return 1
		}
		return code
	})
}

// rowsInAll is how many rows the project's list of faults has.
const rowsInAll = 44

// wholeRun reports whether no flag excluded tests.
func wholeRun() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

// missing are the numbers of rows that no test began.
func (t *table) missing() []string {
	var missing []string
	for i := range rowsInAll {
		number := fmt.Sprintf("%02d", i+1)
		if !slices.ContainsFunc(t.lines, func(r *row) bool { return strings.HasPrefix(r.name, number) }) {
			missing = append(missing, number)
		}
	}
	return missing
}

// table gathers the lines of the rows.
type table struct {
	mu    sync.Mutex
	lines []*row
}

// row is one line: a fault and its result.
type row struct {
	t          *testing.T
	name, done string
	seen       []string
	failed     bool
}

// begin starts the row of a test named TestFaultNNName. The line is printed
// even if the test fails.
func begin(t *testing.T, done string) *row {
	t.Helper()
	name, ok := strings.CutPrefix(t.Name(), "TestFault")
	require.True(t, ok, "a row's test is named TestFaultNNName")
	r := &row{t: t, name: name[:2] + " " + name[2:], done: done}
	rows.add(r)
	t.Cleanup(func() { r.failed = t.Failed() })
	return r
}

// saw adds to what was seen.
func (r *row) saw(format string, args ...any) { r.seen = append(r.seen, fmt.Sprintf(format, args...)) }

func (t *table) add(r *row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, r)
}

func (t *table) print(w io.Writer) {
	if len(t.lines) == 0 {
		return
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ROW\t\tDONE\tSEEN")
	slices.SortStableFunc(t.lines, func(a, b *row) int { return strings.Compare(a.name, b.name) })
	for _, r := range t.lines {
		result := "ok"
		if r.failed {
			result = "FAIL"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", r.name, result, r.done, strings.Join(r.seen, "; "))
	}
	fmt.Fprintf(out, "%d rows\n", len(t.lines))
	_ = out.Flush() // to stdout, at the very end
}
