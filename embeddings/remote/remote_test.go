package remote_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/embeddings"
	"semlb/embeddings/remote"
	"semlb/wire"
)

func TestAuthPrintsNoSecret(t *testing.T) {
	const secret = "sk-proj-abcdef"
	auth := remote.Auth{HeaderName: "Authorization", HeaderValue: wire.NewSecret(secret), ParamValue: wire.NewSecret(secret)}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "auth", auth)
	text := fmt.Sprintf("%v %+v %#v %s", auth, auth, remote.Options{Auth: auth}, auth) + log.String()
	require.NotContains(t, text, secret)
}

func TestNormalize(t *testing.T) {
	v := []float32{3, 0, -4}
	require.NoError(t, remote.Normalize(v))
	require.InDeltaSlice(t, []float32{0.6, 0, -0.8}, v, 1e-6)
	for want, v := range map[string][]float32{
		"is empty":         {},
		"is not finite":    {float32(math.NaN()), 1},
		"has no direction": {0, 0},
	} {
		require.ErrorContains(t, remote.Normalize(v), want)
	}
}

func TestWidthIsThatOfTheFirstAnswer(t *testing.T) {
	var w remote.Width
	mixed := w.Check([][]float32{{1, 0}, {1, 0, 0}})
	var wrong *embeddings.WidthError
	require.ErrorAs(t, mixed, &wrong)
	require.Equal(t, embeddings.WidthError{Got: 3, Want: 2}, *wrong)
	require.Zero(t, w.Get(), "an answer of several widths settles nothing")

	require.NoError(t, w.Check([][]float32{{1, 0, 0}}))
	require.Equal(t, 3, w.Get())
	require.ErrorContains(t, w.Check([][]float32{{1, 0}}), "got 2 dimensions, want 3")
	w.Set(2)
	require.NoError(t, w.Check([][]float32{{1, 0}}))
}

func TestWidthIsSettledOnce(t *testing.T) {
	for range 100 {
		var w remote.Width
		errs := make([]error, 4)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { errs[i] = w.Check([][]float32{make([]float32, 1+i%2)}) })
		}
		group.Wait()
		failed := 0
		for _, err := range errs {
			if err != nil {
				failed++
			}
		}
		require.Equal(t, 2, failed, "one of two widths is settled on")
	}
}
