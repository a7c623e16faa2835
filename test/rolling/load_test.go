package rolling_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"semlb/test/harness"
)

const (
	clients = 16
	// pause after each answer leaves the machine to what is being restarted.
	pause = 5 * time.Millisecond
)

// load is clients that send requests until they are stopped.
type load struct {
	stop    context.CancelFunc
	done    sync.WaitGroup
	mu      sync.Mutex
	answers int
	took    []time.Duration
	wrong   []failure
}

// failure is an answer that was not the right one.
type failure struct {
	at     time.Time
	client int
	what   string
}

// begin starts the clients, half of them over HTTP/2.
func (w *world) begin() *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{stop: stop}
	w.t.Cleanup(func() { l.end() })
	for i := range clients {
		client := harness.NewClient(w.t, harness.Protocols()[i%2])
		l.done.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				l.ask(client, w.url, i, n)
				time.Sleep(pause)
			}
		})
	}
	return l
}

// ask sends the n-th prompt of a client, in every fourth request with a body that is admitted
// by its head, half of these in chunks.
func (l *load) ask(c *http.Client, url string, client, n int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+harness.ChatPath, strings.NewReader(promptOf(client, n)))
	if err != nil {
		panic(err) // the URL is the test's own
	}
	if n%8 == 4 {
		r.ContentLength = -1
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := harness.Send(c, r)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers++
	l.took = append(l.took, answer.Took)
	switch {
	case err != nil:
		l.wrong = append(l.wrong, failure{time.Now(), client, err.Error()})
	case answer.Err != nil || answer.Status != http.StatusOK || answer.Header.Get("X-Kong-Llm-Model") != "openai/second":
		l.wrong = append(l.wrong, failure{time.Now(), client, fmt.Sprintf("%d %v %s", answer.Status, answer.Err, answer.Body)})
	}
}

// end stops the clients and waits for their last answers.
func (l *load) end() {
	l.stop()
	l.done.Wait()
}

// counted is the number of answers so far.
func (l *load) counted() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers
}

// failures are the wrong answers so far.
func (l *load) failures() []failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.wrong)
}

// report logs the results of the requests.
func (l *load) report(t *testing.T, what string) {
	t.Helper()
	slices.Sort(l.took)
	t.Logf("%s: %d requests, %d failed, p50 %s, p99 %s, slowest %s", what, l.answers, len(l.wrong),
		l.took[len(l.took)/2].Round(time.Microsecond), l.took[len(l.took)*99/100].Round(time.Microsecond),
		l.took[len(l.took)-1].Round(time.Microsecond))
	for _, f := range l.wrong[:min(5, len(l.wrong))] {
		t.Logf("%s %s", f.at.Format("15:04:05.000"), f.what)
	}
}

// promptOf is the n-th request of a client.
func promptOf(client, n int) string {
	prompt := fmt.Sprintf("prompt %d of client %d", n, client)
	if n%4 == 0 {
		prompt += strings.Repeat(".", 20_000)
	}
	return harness.Chat(prompt)
}
