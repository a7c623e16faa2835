package seed_test

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

const (
	waitLimit = time.Minute
	pause     = 100 * time.Millisecond
)

// requireByMeaning makes sure that requests are routed by their meaning; gpt-4o is
// refused from then on. The texts are new ones, so that no vector comes from a cache.
func requireByMeaning(t *testing.T, g *gateway, o *openAI, unique string) {
	t.Helper()
	o.refuse("gpt-4o", http.StatusTooManyRequests)
	matched := g.decided("matched")
	require.Equal(t, ofProgramming, g.group("programming "+unique))
	require.Equal(t, ofRealLife, g.group("real life "+unique))
	require.Equal(t, matched+2, g.decided("matched"))
	g.RequireReady()
}

func TestRestartEmbedsNoDescriptionAgain(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	first := start(t, o, seed())
	require.Len(t, o.embeddings(), 1)
	first.Stop()

	second := start(t, o, seed())
	require.Len(t, o.embeddings(), 1, "the descriptions are in Redis")
	requireByMeaning(t, second, o, "after a restart")
}

func TestSecondReplicaEmbedsNoDescription(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	first, second := start(t, o, seed()), start(t, o, seed())
	require.Len(t, o.embeddings(), 1, "the descriptions are in Redis")
	requireByMeaning(t, first, o, "at the first")
	requireByMeaning(t, second, o, "at the second")
}

func TestChangedDescriptionIsTheOnlyOneEmbedded(t *testing.T) {
	startRedis(t)
	o := newOpenAI(t)
	start(t, o, seed()).Stop()
	start(t, o, seedWith(t, realLife, realLife+" and more"))
	require.Len(t, o.embeddings(), 2)
	require.Equal(t, []string{realLife + " and more"}, embedRequestOf(t, o.embeddings()[1]).Input)
}

func TestRedisIsNotNeededOnceLoaded(t *testing.T) {
	server := startRedis(t)
	o := newOpenAI(t)
	g := start(t, o, seed())
	require.NoError(t, newRedisClient(t, server).FlushAll(t.Context()).Err())
	requireByMeaning(t, g, o, "with Redis flushed")
	server.Pause()
	requireByMeaning(t, g, o, "with Redis frozen")
	server.Kill()
	requireByMeaning(t, g, o, "with Redis killed")
	require.Zero(t, g.decided("degraded"))
}

func TestRedisThatIsDownAtStartDelaysNothing(t *testing.T) {
	server := startRedis(t)
	server.Kill()
	o := newOpenAI(t)
	g := start(t, o, seed())
	g.RequireReady()
	require.Len(t, o.embeddings(), 1)
	requireByMeaning(t, g, o, "without Redis")
	require.Regexp(t, `msg="the vector store cannot be reached" .*requests="compared in memory"`, g.Log())
}

func TestRedisThatIsFrozenAtStartDelaysNothing(t *testing.T) {
	server := startRedis(t)
	server.Pause()
	o := newOpenAI(t)
	g := start(t, o, seed())
	requireByMeaning(t, g, o, "with Redis frozen")
}

// searchInStore is the seed with the search in Redis itself.
func searchInStore(t *testing.T) string {
	t.Helper()
	return seedWith(t, "      strategy: redis\n", "      strategy: redis\n      search: store\n")
}

func TestSeedSearchesInMemory(t *testing.T) {
	server := startRedis(t)
	o := newOpenAI(t)
	requireByMeaning(t, start(t, o, seed()), o, "in memory")
	require.Zero(t, searches(t, newRedisClient(t, server)))
}

func TestStoreSearchQueriesRedisForEveryPrompt(t *testing.T) {
	server := startRedis(t)
	o := newOpenAI(t)
	g := start(t, o, searchInStore(t))
	client := newRedisClient(t, server)
	before := searches(t, client)
	requireByMeaning(t, g, o, "in Redis")
	require.Equal(t, 2, searches(t, client)-before)
}

var searchCalls = regexp.MustCompile(`(?mi)^cmdstat_FT\.SEARCH:calls=(\d+)`)

// searches is how many searches Redis has executed.
func searches(t *testing.T, client *redis.Client) int {
	t.Helper()
	stats, err := client.Info(t.Context(), "commandstats").Result()
	require.NoError(t, err)
	found := searchCalls.FindStringSubmatch(stats)
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	return n
}

func TestStoreSearchDegradesWithoutRedisAndRecovers(t *testing.T) {
	server := startRedis(t)
	o := newOpenAI(t)
	g := start(t, o, searchInStore(t))
	requireByMeaning(t, g, o, "before")

	server.Kill()
	require.Equal(t, ofProgramming, g.group("real life without Redis"), "the default group has the largest weight")
	require.Equal(t, 1, g.decided("degraded"))
	g.RequireReady()

	server.Restart() // It is empty.
	require.Eventually(t, func() bool { return g.group("real life with Redis again") == ofRealLife }, waitLimit, pause)
	requireByMeaning(t, g, o, "after")
}

func TestStoreSearchRestoresWhatRedisHasLost(t *testing.T) {
	server := startRedis(t)
	o := newOpenAI(t)
	g := start(t, o, searchInStore(t))
	require.NoError(t, newRedisClient(t, server).FlushAll(t.Context()).Err())
	requireByMeaning(t, g, o, "after a flush")
	require.Zero(t, g.decided("degraded"))
	require.Len(t, descriptionCalls(t, o), 1)
}

// descriptionCalls are the requests that embedded descriptions.
func descriptionCalls(t *testing.T, o *openAI) []harness.Received {
	t.Helper()
	return o.with(func(r harness.Received) bool {
		return r.URI == embeddingsPath && slices.Contains(embedRequestOf(t, r).Input, programming)
	})
}

func TestStoreSearchServesWhenRedisIsDownAtStart(t *testing.T) {
	server := startRedis(t)
	server.Kill()
	o := newOpenAI(t)
	g := start(t, o, searchInStore(t))
	g.RequireReady()
	o.refuse("gpt-4o", http.StatusTooManyRequests)
	require.Equal(t, ofProgramming, g.group("real life without Redis"))
	require.Equal(t, 1, g.decided("degraded"))
	server.Restart()
	require.Eventually(t, func() bool { return g.group("real life with Redis at last") == ofRealLife }, waitLimit, pause)
}

// contents is everything in Redis: names, and values as Redis dumps them and, for
// hashes, in clear text.
func contents(t *testing.T, client *redis.Client) (hashes int, all string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	keys, err := client.Keys(ctx, "*").Result()
	require.NoError(t, err)
	indexes, err := client.FT_List(ctx).Result()
	require.NoError(t, err)
	var text strings.Builder
	text.WriteString(strings.Join(indexes, "\n"))
	for _, k := range keys {
		dump, err := client.Dump(ctx, k).Result()
		require.NoError(t, err)
		text.WriteString(k + "\n" + dump + "\n")
		fields, err := client.HGetAll(ctx, k).Result()
		if err != nil {
			continue // of another type, and dumped above
		}
		hashes++
		for name, value := range fields {
			text.WriteString(name + "\n" + value + "\n")
		}
	}
	return hashes, text.String()
}
