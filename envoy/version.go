package envoy

import (
	"fmt"
	"time"
)

// Version is the version of an Envoy.
type Version struct{ Major, Minor, Patch int }

// OldestVersion is the oldest Envoy that the generated configuration runs on.
var OldestVersion = Version{1, 36, 0}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Before reports whether v is older than w.
func (v Version) Before(w Version) bool {
	if v.Major != w.Major {
		return v.Major < w.Major
	}
	if v.Minor != w.Minor {
		return v.Minor < w.Minor
	}
	return v.Patch < w.Patch
}

// DrainTime is how long a replaced listener keeps serving the requests it has, streams
// included. Requests that are left after it are reset. It is Envoy's --drain-time-s.
const DrainTime = 30 * time.Minute

// ActiveRequestsStat is the gauge of Envoy's statistics that counts the requests of
// clients in flight.
const ActiveRequestsStat = "http." + OuterListener + ".downstream_rq_active"
