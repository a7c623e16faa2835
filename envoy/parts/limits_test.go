package parts

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/envoy"
)

func TestLimitsKeepFailover(t *testing.T) {
	for _, body := range []int64{0, 8192, 1 << 20, 4 << 20, 1 << 40} {
		l := limitsFor(body)
		require.Greater(t, int64(l.outerRoute), 2*(min(body, envoy.MaxBodyLimit)+margin))
		require.Greater(t, l.innerRoute, l.outerRoute)
	}
}

func TestABodyThatIsNotWatchedFitsTwiceIntoItsConnection(t *testing.T) {
	small := regexp.MustCompile("^(" + smallBody + ")$")
	longest := 0
	for small.MatchString(strconv.Itoa(longest + 1)) {
		longest++
	}
	require.Equal(t, envoy.LargeBody-1, longest)
	require.Less(t, 2*longest, clientBuffer)
	require.LessOrEqual(t, clientBuffer, clientWindow)
}
