package router

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/vectordb"
)

// angles is an embedder for tests: a text's direction in degrees from the first
// axis. Texts it does not know fail; "mute" has no word to it.
type angles map[string]float64

var errDown = errors.New("embedder is down")

func (a angles) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		if text == "mute" {
			continue
		}
		degrees, ok := a[text]
		if !ok {
			return nil, errDown
		}
		sin, cos := math.Sincos(degrees * math.Pi / 180)
		out[i] = []float32{float32(cos), float32(sin)}
	}
	return out, ctx.Err()
}

const (
	life = "Specialist in real life topics"
	code = "Specialist in programming problems"
)

// seed is the three targets of the decK example.
func seed() []Target {
	return []Target{{ID: "life", Description: life, Weight: 2}, {ID: "code75", Description: code, Weight: 75}, {ID: "code25", Description: code, Weight: 25}}
}

// prompts lie between the descriptions at 0 and 90 degrees, and beyond them.
func known() angles {
	return angles{life: 0, code: 90, "cook": 10, "deadlock": 80, "hello": 200, "towards code": 60}
}

// newTestRouter makes a loaded router over a real store; change adjusts the
// options of the seed.
func newTestRouter(t *testing.T, change func(*Options)) *Router {
	t.Helper()
	store, err := vectordb.NewMemory(2, vectordb.Cosine)
	require.NoError(t, err)
	threshold := 0.7
	options := Options{
		Algorithm: Semantic, Targets: seed(), MaxAttempts: 4,
		Semantic: SemanticOptions{Embedder: known(), Index: store, Threshold: &threshold},
	}
	if change != nil {
		change(&options)
	}
	r, err := New(options)
	require.NoError(t, err)
	require.NoError(t, r.Load(t.Context(), store))
	return r
}

func TestRoute(t *testing.T) {
	withCatchall := func(o *Options) { o.Targets = append(o.Targets, Target{ID: "rest", Description: Catchall, Weight: 1}) }
	for _, tt := range []struct {
		name    string
		change  func(*Options)
		prompt  string
		targets []string
		reason  Reason
	}{
		{"nearest group, heaviest first", nil, "deadlock", []string{"code75", "code25"}, Matched},
		{"other group", nil, "cook", []string{"life"}, Matched},
		{"beyond the threshold the nearest serves", nil, "hello", []string{"code75", "code25"}, BeyondThreshold},
		{"beyond the threshold CATCHALL serves", withCatchall, "hello", []string{"rest"}, CaughtAll},
		{"CATCHALL is no candidate by distance", withCatchall, "cook", []string{"life"}, Matched},
		{"no match rejected", func(o *Options) { o.Semantic.RejectNoMatch = true }, "hello", nil, NoMatch},
		{"no threshold is no limit", func(o *Options) { o.Semantic.Threshold = nil }, "hello", []string{"code75", "code25"}, Matched},
		{"attempts are bounded", func(o *Options) { o.MaxAttempts = 1 }, "deadlock", []string{"code75"}, Matched},
		{"no prompt, heaviest group", nil, "", []string{"code75", "code25"}, NoPrompt},
		{"no prompt, CATCHALL", withCatchall, "", []string{"rest"}, NoPrompt},
		{"a prompt without meaning", nil, "mute", []string{"code75", "code25"}, BeyondThreshold},
		{"embedder down", nil, "unknown text", []string{"code75", "code25"}, Degraded},
		{
			"spill to the next within the threshold", func(o *Options) { o.Semantic.Spill = SpillNearest }, "towards code",
			[]string{"code75", "code25", "life"},
			Matched,
		},
		{"spill stops at the threshold", func(o *Options) { o.Semantic.Spill = SpillNearest }, "deadlock", []string{"code75", "code25"}, Matched},
		{"spill to CATCHALL", func(o *Options) { withCatchall(o); o.Semantic.Spill = SpillCatchall }, "cook", []string{"life", "rest"}, Matched},
		{"ties in weight by configuration order", func(o *Options) {
			o.Targets = []Target{{ID: "b", Description: code, Weight: 5}, {ID: "a", Description: code, Weight: 5}, {ID: "c", Description: code, Weight: 6}}
		}, "deadlock", []string{"c", "b", "a"}, Matched},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan := newTestRouter(t, tt.change).Route(t.Context(), Request{Prompt: tt.prompt})
			require.Equal(t, tt.reason, plan.Reason)
			require.Equal(t, tt.targets, plan.Targets)
			require.Equal(t, tt.reason == Degraded, plan.Err != nil)
		})
	}
}

func TestThresholdIsAMaximumDistance(t *testing.T) {
	r := newTestRouter(t, nil)
	plan := r.Route(t.Context(), Request{Prompt: "deadlock"})
	require.InDelta(t, 1-math.Cos(10*math.Pi/180), plan.Candidates[0].Distance, 1e-6)

	exact := 0.0
	r = newTestRouter(t, func(o *Options) { o.Semantic.Threshold = &exact })
	require.Equal(t, BeyondThreshold, r.Route(t.Context(), Request{Prompt: "deadlock"}).Reason)
	require.Equal(t, Matched, r.Route(t.Context(), Request{Prompt: code}).Reason, "a text is at distance 0 from itself, despite 32-bit noise")
}

func TestDistanceScaleKeepsTheOrder(t *testing.T) {
	r := newTestRouter(t, func(o *Options) { o.Semantic.DistanceScale = 0.5 })
	near := r.Route(t.Context(), Request{Prompt: "hello"}).Candidates
	require.Equal(t, code, near[0].Description)
	require.InDelta(t, (1-math.Cos(110*math.Pi/180))/2, near[0].Distance, 1e-6)
}

func TestBeforeLoadingPlansAreDegraded(t *testing.T) {
	store, err := vectordb.NewMemory(2, vectordb.Cosine)
	require.NoError(t, err)
	r, err := New(Options{Algorithm: Semantic, Targets: seed(), MaxAttempts: 1, Semantic: SemanticOptions{Embedder: known(), Index: store}})
	require.NoError(t, err)
	require.Equal(t, Degraded, r.Route(t.Context(), Request{Prompt: "deadlock"}).Reason)
}

// hung never answers before its context ends.
type hung struct{}

func (hung) Embed(ctx context.Context, _ []string) ([][]float32, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestRouteAnswersWithinItsBudget(t *testing.T) {
	r := newTestRouter(t, func(o *Options) { o.Semantic.Budget = 20 * time.Millisecond })
	r.pools[""].semantic.Embedder = hung{}
	start := time.Now()
	plan := r.Route(t.Context(), Request{Prompt: "deadlock"})
	require.Equal(t, Degraded, plan.Reason)
	require.ErrorIs(t, plan.Err, context.DeadlineExceeded)
	require.Less(t, time.Since(start), 20*time.Second, "the embedder hangs until its context ends")
}

// counting counts the calls of an embedder and the texts it was given.
type counting struct {
	next  Embedder
	calls [][]string
}

func (c *counting) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	c.calls = append(c.calls, texts)
	return c.next.Embed(ctx, texts)
}

func TestDescriptionsAreEmbeddedOnceInOneBatch(t *testing.T) {
	store, err := vectordb.NewMemory(2, vectordb.Cosine)
	require.NoError(t, err)
	embedder := &counting{next: known()}
	options := Options{Algorithm: Semantic, Targets: seed(), MaxAttempts: 1, Semantic: SemanticOptions{Embedder: embedder, Index: store}}
	for range 2 { // the second router finds the vectors in the store
		r, err := New(options)
		require.NoError(t, err)
		require.NoError(t, r.Load(t.Context(), store))
		require.Equal(t, Matched, r.Route(t.Context(), Request{Prompt: "deadlock"}).Reason)
	}
	require.Equal(t, [][]string{{life, code}, {"deadlock"}, {"deadlock"}}, embedder.calls)
}

func TestADescriptionWithoutMeaningIsRefused(t *testing.T) {
	store, err := vectordb.NewMemory(2, vectordb.Cosine)
	require.NoError(t, err)
	r, err := New(Options{Algorithm: Semantic, Targets: []Target{{ID: "a", Description: "mute", Weight: 1}}, MaxAttempts: 1, Semantic: SemanticOptions{Embedder: known(), Index: store}})
	require.NoError(t, err)
	require.ErrorContains(t, r.Load(t.Context(), store), `"mute" has no word`)
}

func TestWeightedGroupsStartByShare(t *testing.T) {
	r := newTestRouter(t, func(o *Options) { o.Semantic.GroupOrder = Weighted })
	first := map[string]int{}
	for range 1000 {
		plan := r.Route(t.Context(), Request{Prompt: "deadlock"})
		require.Len(t, plan.Targets, 2)
		require.NotEqual(t, plan.Targets[0], plan.Targets[1])
		first[plan.Targets[0]]++
	}
	require.Equal(t, map[string]int{"code75": 750, "code25": 250}, first)
}

func TestRoundRobinSharesByWeight(t *testing.T) {
	r, err := New(Options{Algorithm: RoundRobin, Targets: []Target{{ID: "a", Weight: 5}, {ID: "b", Weight: 1}, {ID: "c", Weight: 1}}, MaxAttempts: 3})
	require.NoError(t, err)
	first := map[string]int{}
	var order string
	for range 7 {
		plan := r.Route(t.Context(), Request{})
		require.Equal(t, Balanced, plan.Reason)
		require.ElementsMatch(t, []string{"a", "b", "c"}, plan.Targets)
		first[plan.Targets[0]]++
		order += plan.Targets[0]
	}
	require.Equal(t, map[string]int{"a": 5, "b": 1, "c": 1}, first)
	require.Equal(t, "aabacaa", order, "smooth: the heavy target does not take its turns in a row")
}

func TestPriorityTriesTheHeaviestLevelFirst(t *testing.T) {
	r, err := New(Options{Algorithm: Priority, Targets: []Target{{ID: "low", Weight: 1}, {ID: "x", Weight: 9}, {ID: "y", Weight: 9}}, MaxAttempts: 3})
	require.NoError(t, err)
	require.Equal(t, []string{"x", "y", "low"}, r.Route(t.Context(), Request{}).Targets)
	require.Equal(t, []string{"y", "x", "low"}, r.Route(t.Context(), Request{}).Targets)
	require.Equal(t, []string{"x", "y", "low"}, r.Route(t.Context(), Request{}).Targets)
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for name, o := range map[string]Options{
		"no targets":        {Algorithm: RoundRobin, MaxAttempts: 1},
		"no attempts":       {Algorithm: RoundRobin, Targets: seed()},
		"no embedder":       {Algorithm: Semantic, Targets: seed(), MaxAttempts: 1},
		"unknown algorithm": {Algorithm: "fastest", Targets: seed(), MaxAttempts: 1},
	} {
		_, err := New(o)
		require.Error(t, err, name)
	}
}

func BenchmarkRoute(b *testing.B) {
	store, err := vectordb.NewMemory(2, vectordb.Cosine)
	require.NoError(b, err)
	threshold := 0.7
	r, err := New(Options{Algorithm: Semantic, Targets: seed(), MaxAttempts: 4, Semantic: SemanticOptions{Embedder: known(), Index: store, Threshold: &threshold}})
	require.NoError(b, err)
	require.NoError(b, r.Load(b.Context(), store))
	b.ReportAllocs()
	for b.Loop() {
		r.Route(b.Context(), Request{Prompt: "deadlock"})
	}
}
