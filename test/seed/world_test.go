package seed_test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"semlb/examples"
	"semlb/test/harness"
	"semlb/vectordb/redistest"
)

const (
	// key stands for the key of OpenAI. It occurs nowhere but where a test puts it.
	key         = "sk-marker-0451-not-a-real-key"
	keyVariable = "DECK_OPENAI_API_KEY"
	redisPort   = 6379 // the seed's
)

func TestMain(m *testing.M) { harness.Main(m) }

func seed() string { return string(examples.Global()) }

// seedWith is the seed with a line replaced.
func seedWith(t *testing.T, line, replacement string) string {
	t.Helper()
	require.Contains(t, seed(), line)
	return strings.ReplaceAll(seed(), line, replacement)
}

// startRedis starts the Redis that the seed names. It waits for its turn if another
// run of these tests has it.
func startRedis(t *testing.T) *redistest.Server {
	t.Helper()
	takeTurn(t)
	l, err := net.Listen("tcp", "127.0.0.1:6379")
	require.NoError(t, err, "the seed's Redis is localhost:6379, and another program has that port: end it to run these tests")
	require.NoError(t, l.Close())
	return redistest.StartWith(t, redistest.Options{Port: redisPort})
}

// takeTurn holds a lock of the whole machine until the test has ended.
func takeTurn(t *testing.T) {
	t.Helper()
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "semlb-test-redis-6379.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	t.Cleanup(func() { _ = lock.Close() })
}

// newRedisClient is a client to look behind semlb's back.
func newRedisClient(t *testing.T, server *redistest.Server) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

// start starts semlb with a configuration and OpenAI's place taken.
func start(t *testing.T, o *openAI, config string, flags ...string) *gateway {
	t.Helper()
	s := harness.Start(t, harness.Options{
		Config: config, Own: true,
		Env:   map[string]string{keyVariable: key},
		Flags: append([]string{"--provider-url", "openai=" + o.URL}, flags...),
	})
	return &gateway{Semlb: s, t: t, client: harness.NewClient(t, harness.HTTP1)}
}

// gateway is a semlb with a client.
type gateway struct {
	*harness.Semlb
	t      *testing.T
	client *http.Client
}

// ask sends a prompt.
func (g *gateway) ask(prompt string) harness.Answer {
	g.t.Helper()
	return g.Post(g.client, harness.Chat(prompt))
}

// served is the model in the header of an answer, which must be a good one.
func (g *gateway) served(prompt string) string {
	g.t.Helper()
	answer := g.ask(prompt)
	require.Equal(g.t, http.StatusOK, answer.Status, answer.Body)
	return answer.Header.Get("X-Kong-Llm-Model")
}

// decided is how many requests were planned for a reason.
func (g *gateway) decided(reason string) int {
	g.t.Helper()
	return int(g.Metric("semlb_decisions_total", "reason", reason))
}

// The seed's first target of both groups is the same model at the same place. With
// it refused, the answer shows which group a prompt was routed to.
const (
	ofProgramming = "openai/gpt-4o-mini" // the group's second
	ofRealLife    = "429"                // the group has no second: the upstream's answer
)

func (g *gateway) group(prompt string) string {
	g.t.Helper()
	answer := g.ask(prompt)
	if answer.Status == http.StatusTooManyRequests {
		return ofRealLife
	}
	require.Equal(g.t, http.StatusOK, answer.Status, answer.Body)
	return answer.Header.Get("X-Kong-Llm-Model")
}
