package router

import (
	"iter"
	"math/rand/v2"
	"strconv"
	"strings"
)

// ProbeToken identifies one probe of one target, or all attempts at a target that may
// be probed and is a fallback, so that their outcomes can be distinguished from those
// of attempts that began before; 0 is none.
type ProbeToken uint64

func newProbeToken() ProbeToken { return ProbeToken(rand.Uint64() | 1) }

// Probe is a target of a plan whose circuit breaker is open.
type Probe struct {
	Target string
	Token  ProbeToken
}

// FormatProbes writes probes as text, for a plan to carry them; "" for none.
func FormatProbes(probes []Probe) string {
	if len(probes) == 0 {
		return ""
	}
	parts := make([]string, len(probes))
	for i, p := range probes {
		parts[i] = p.Target + "=" + strconv.FormatUint(uint64(p.Token), 16)
	}
	return strings.Join(parts, ",")
}

// Probes reads what FormatProbes wrote.
func Probes(text string) iter.Seq[Probe] {
	return func(yield func(Probe) bool) {
		for part := range strings.SplitSeq(text, ",") {
			id, token, _ := strings.Cut(part, "=")
			n, err := strconv.ParseUint(token, 16, 64)
			if err == nil && !yield(Probe{Target: id, Token: ProbeToken(n)}) {
				return
			}
		}
	}
}

// ProbeOf finds the probe of a target in what FormatProbes wrote; 0 if there is
// none.
func ProbeOf(text, target string) ProbeToken {
	for p := range Probes(text) {
		if p.Target == target {
			return p.Token
		}
	}
	return 0
}
