package harness

import (
	"fmt"
	"os"
)

// Trend is a straight line through measured values, by least squares.
type Trend struct {
	// N is how many values there are; with fewer than two there is no line.
	N    int
	Mean float64
	// Slope is by how much values rise for each unit of x.
	Slope       float64
	First, Last float64
}

// TrendOf is the trend of a value over x.
func TrendOf[S any](samples []S, x, value func(S) float64) Trend {
	t := Trend{N: len(samples)}
	if t.N < 2 {
		return t
	}
	t.First, t.Last = value(samples[0]), value(samples[t.N-1])
	var sx, sy, sxx, sxy float64
	for _, s := range samples {
		x, y := x(s), value(s)
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	n := float64(t.N)
	t.Mean = sy / n
	if d := n*sxx - sx*sx; d != 0 {
		t.Slope = (n*sxy - sx*sy) / d
	}
	return t
}

// Resident is a process's resident memory in bytes.
func Resident(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory of process: %w", err)
	}
	var size, pages float64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0, fmt.Errorf("read memory of process: %w", err)
	}
	return pages * float64(os.Getpagesize()), nil
}
