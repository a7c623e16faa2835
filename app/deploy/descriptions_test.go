package deploy

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"semlb/embeddings"
	"semlb/vectordb"
)

// instance is a described instance. Its store keeps a copy in a server, which sync
// writes.
type instance struct {
	load func(context.Context) error
	sync func() (int, error)
}

func (*instance) ID() string                                { return "i" }
func (*instance) HasDescriptions() bool                     { return true }
func (i *instance) Load(ctx context.Context) error          { return i.load(ctx) }
func (i *instance) Syncer() vectordb.Syncer                 { return i }
func (*instance) SearchesServer() bool                      { return false }
func (i *instance) Sync(_ context.Context) (n int, e error) { return i.sync() }

// descriptions have a log, and count panics.
type descriptions struct {
	*Descriptions
	log    bytes.Buffer
	panics int
}

func newDescriptions() *descriptions {
	d := &descriptions{}
	d.Descriptions = NewDescriptions(time.Millisecond, slog.New(slog.NewTextHandler(&d.log, nil)), prometheus.NewRegistry(), func() { d.panics++ })
	return d
}

// keepOnce keeps an instance until it has tried once to load its descriptions.
func (d *descriptions) keepOnce(t *testing.T, i *instance) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	d.keep(ctx, i, cancel)
}

// keepFor keeps an instance for a while, by a clock that does not wait.
func (d *descriptions) keepFor(t *testing.T, i *instance, while time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), while)
		defer cancel()
		d.keep(ctx, i, func() {})
	})
}

// panickingEmbedder panics with its input.
type panickingEmbedder struct{}

func (panickingEmbedder) Info() embeddings.Info { return embeddings.Info{Model: "m", Dimensions: 2} }

func (panickingEmbedder) Embed(_ context.Context, texts []string) ([][]float32, error) {
	panic("a fault with " + texts[0])
}

func TestPanicsWhileLoadingAreLoggedWithTheirStackOnly(t *testing.T) {
	cache, err := embeddings.NewCache(panickingEmbedder{}, embeddings.CacheOptions{})
	require.NoError(t, err)
	defer cache.Close()
	for name, load := range map[string]func(context.Context) error{
		"panickingEmbedder": func(ctx context.Context) error {
			_, err := cache.Embed(ctx, []string{"a private description"})
			return err
		},
		"TestPanicsWhileLoading": func(context.Context) error { panic("a fault with a private description") },
	} {
		d := newDescriptions()
		d.keepOnce(t, &instance{load: load})
		require.Equal(t, 1, d.panics)
		require.Regexp(t, `level=ERROR msg="descriptions cannot be embedded.*panic: value of type string.*stack="goroutine`, d.log.String())
		require.Contains(t, d.log.String(), name)
		require.NotContains(t, d.log.String(), "private")
	}
}

func TestAnUnavailableStoreIsLoggedOnceAndWhenItIsBack(t *testing.T) {
	d := newDescriptions()
	syncs := 0
	d.keepFor(t, &instance{
		load: func(context.Context) error { return &vectordb.BackingError{Op: "upsert", Err: errors.New("down")} },
		sync: func() (int, error) {
			if syncs++; syncs < 4 {
				return 0, errors.New("still down")
			}
			return 0, nil
		},
	}, 200*time.Millisecond)
	require.Greater(t, syncs, 4)
	require.Equal(t, 1, strings.Count(d.log.String(), "the vector store cannot be reached"))
	require.Equal(t, 1, strings.Count(d.log.String(), "the vector store has all vectors"))
	require.Contains(t, d.log.String(), `requests="compared in memory"`)
}

func TestPanicsOfASyncAreCounted(t *testing.T) {
	d := newDescriptions()
	d.keepFor(t, &instance{
		load: func(context.Context) error { return nil },
		sync: func() (int, error) { panic("a fault") },
	}, 100*time.Millisecond)
	require.Greater(t, d.panics, 2)
	require.Equal(t, 1, strings.Count(d.log.String(), "the vector store cannot be reached"))
	require.NotContains(t, d.log.String(), "a fault")
}

func TestLoadingIsRetriedAfterGrowingPauses(t *testing.T) {
	d := newDescriptions()
	loads := 0
	d.keepFor(t, &instance{
		load: func(context.Context) error {
			loads++
			return errors.New("embedder down")
		},
	}, firstRetry+firstRetry/2)
	require.Equal(t, 2, loads)
	want := firstRetry
	for _, m := range regexp.MustCompile(`again_in=(\S+)`).FindAllStringSubmatch(d.log.String(), -1) {
		got, err := time.ParseDuration(m[1])
		require.NoError(t, err)
		require.InDelta(t, want, got, jitter*float64(want)+float64(time.Millisecond))
		want *= 2
	}
	require.Equal(t, 4*firstRetry, want)
}
