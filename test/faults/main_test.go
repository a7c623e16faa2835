// Package faults_test makes every fault of the project's list happen, one test for
// each row: on a real Envoy where that can be made to, else on the gRPC stream
// between Envoy and semlb. Each row says at the end what was done and what was
// seen; `make faults` shows that table.
package faults_test

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"semlb/vectordb"
)

// rows is what the tests have to say; TestMain prints it.
var rows table

func TestMain(m *testing.M) {
	// The tests' own client of Redis would write of every kill.
	vectordb.RouteRedisClientLog(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		rows.print(os.Stdout)
		removeBinary()
		os.Exit(code)
	}))
}

// table gathers the lines of the rows.
type table struct {
	mu    sync.Mutex
	lines []*row
}

// row is one line: a fault and what it came to.
type row struct {
	t          *testing.T
	name, done string
	seen       []string
	failed     bool
}

// begin starts the row of a test named TestFaultNNName. The line is printed whatever
// becomes of the test.
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
