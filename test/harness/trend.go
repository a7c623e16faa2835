package harness

// Trend is a straight line fitted to measured values by least squares.
type Trend struct {
	// N is the number of values. With fewer than two there is no line.
	N    int
	Mean float64
	// Slope is the rise of the values per unit of x.
	Slope       float64
	First, Last float64
}

// TrendOf fits a line to a value over x.
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
