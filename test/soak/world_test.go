package soak_test

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"semlb/test/ca"
	"semlb/test/harness"
	"semlb/test/process"
	"semlb/test/traffic"
	"semlb/vectordb/redistest"
)

// Every reload raises the body limit by a step, up to a number of steps and then from
// the start, so that both listeners are replaced. (Below 1 MiB, and while requests of
// a larger limit may be in flight, they are not; short timeouts end that soon.)
const (
	bodyLimit = 1 << 20
	bodyStep  = 64 << 10
	bodySteps = 16
)

// soak is the servers, the requests and what was seen.
type soak struct {
	*harness.Gateway
	t         *testing.T
	config    string // the file
	refused   string
	authority *ca.Authority
	stubs     []*harness.Stub
	embedder  *embedder
	redis     *redistest.Server
	semlb     *process.Process

	// written is the newest generation of the configuration, confirmed the newest that
	// is surely in force.
	written, confirmed atomic.Int64
	// next counts requests, happened events.
	next     atomic.Int64
	happened int

	mu       sync.Mutex
	requests map[int]*request // those in flight
	envoy    []outage         // when Envoy was away
	embedded []outage         // when the embedder was away
	faults   map[string]int
	counts
}

// outage is a time in which something was away; until is zero while it is.
type outage struct{ from, until time.Time }

// counts are the outcomes of the requests.
type counts struct {
	sent, malformed, answered, moved, streams, deliveries int
	degraded, duringEnvoy                                 int
	wrong                                                 []string // what must not be
}

func newSoak(t *testing.T) *soak {
	s := &soak{
		t: t, authority: ca.New(t), refused: harness.RefusedURL(t), requests: make(map[int]*request), faults: make(map[string]int),
	}
	s.stubs = []*harness.Stub{
		harness.NewStub(t, "s0"), harness.NewStub(t, "s1"), harness.NewStub(t, "s2"), harness.NewTLSStub(t, "s3", s.authority),
	}
	for i, stub := range s.stubs {
		stub.Forget()
		stub.Do(func(x *harness.Exchange) { s.receive(i, x) })
	}
	s.embedder = newEmbedder(t)
	s.redis = redistest.Start(t)
	s.config = harness.WriteConfig(t, s.generation(0))
	listen, status := harness.FreeAddress(t), harness.FreeAddress(t)
	s.Gateway = harness.NewGateway(t, listen, status)
	s.semlb = process.Start(t, harness.Build(t), "run", "-c", s.config, "--listen", listen, "--status", status, "--admin", "off",
		"--envoy", harness.Envoy(t), "--envoy-concurrency", "2", "--hop", harness.Hop(), "--trusted-ca", s.authority.File, "--decision-budget", decisionBudget.String(),
		"--drain", "3s", "--log-level", "warn")
	harness.AwaitReady(t, s.Status)
	return s
}

// generation is the configuration with the keys of a generation.
func (s *soak) generation(n int64) string {
	p := harness.Plugin{
		Failover: harness.SeedCriteria(), ConnectTimeout: 5000, WriteTimeout: 5000, ReadTimeout: 5000,
		MaxRequestBodySize: bodyLimit + bodyStep*(1+int(n%bodySteps)),
		Embeddings:         s.embedder.block(),
		VectorDB: map[string]any{
			"strategy": "redis", "distance_metric": "cosine", "dimensions": width, "threshold": 0.5,
			"redis": map[string]any{"host": s.redis.Host, "port": s.redis.Port},
		},
	}
	for lane, stubs := range traffic.Lanes() {
		for target, stub := range stubs {
			url, at := s.refused, traffic.Attempt{Lane: lane, Target: target}
			if stub != traffic.Refuses {
				url = s.stubs[stub].URL
			}
			p.Targets = append(p.Targets, harness.Target{
				URL: url, Model: at.Model(), Weight: 1000 - 100*lane - target,
				Description: description(lane), Authorization: at.Key(n),
			})
		}
	}
	return harness.Config(p)
}

// reload puts a new generation in force.
func (s *soak) reload() error {
	n := s.written.Add(1)
	before, err := s.metric("semlb_reloads_total", "result", "applied")
	if err != nil {
		return err
	}
	file := s.config + ".new"
	if err := os.WriteFile(file, []byte(s.generation(n)), 0o600); err != nil {
		return err
	}
	if err := os.Rename(file, s.config); err != nil {
		return err
	}
	for range 1200 {
		if now, err := s.metric("semlb_reloads_total", "result", "applied"); err == nil && now > before {
			s.confirmed.Store(n)
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("generation %d was not applied within a minute", n)
}

func (s *soak) report(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

func (s *soak) clients() map[harness.Protocol]*http.Client {
	all := make(map[harness.Protocol]*http.Client)
	for _, p := range harness.Protocols() {
		all[p] = harness.NewClient(s.t, p)
	}
	return all
}

// overlaps reports whether a request that began at a time and ended now met an outage,
// with what it needs to be over.
func overlaps(outages []outage, began time.Time, after time.Duration) bool {
	for _, o := range outages {
		if o.until.IsZero() || began.Before(o.until.Add(after)) && time.Now().After(o.from) {
			return true
		}
	}
	return false
}

func (s *soak) begin(list *[]outage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*list = append(*list, outage{from: time.Now()})
}

func (s *soak) over(list *[]outage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	(*list)[len(*list)-1].until = time.Now()
}
