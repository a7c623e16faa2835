package parts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/envoy"
)

func TestSilence(t *testing.T) {
	c := Config{SendTimeout: time.Minute, Upstreams: []Upstream{{ConnectTimeout: time.Second}, {ConnectTimeout: 50 * time.Second}}}
	for idle, want := range map[time.Duration]silence{
		time.Second:      {head: time.Second, stream: time.Minute},
		30 * time.Second: {head: 30 * time.Second, stream: 80 * time.Second}, // no attempt ends before its head is late
		time.Minute:      {head: time.Minute},
		time.Hour:        {head: time.Hour},
	} {
		require.Equal(t, want, silenceOf(idle, c))
	}
	require.Equal(t, silence{head: time.Second}, silenceOf(time.Second, Config{}))
}

// A client can hold back no answer of which fewer bytes than envoy.HoldsBack have arrived.
func TestAnswersAreNotHeldBackBeforeTheirBuffersAreFull(t *testing.T) {
	inner := New(Config{}).Inner.Listener
	require.GreaterOrEqual(t, inner.GetPerConnectionBufferLimitBytes().GetValue(), uint32(envoy.HoldsBack))
}
