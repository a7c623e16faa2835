package faults_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// inForce is how soon a change is to be in force, however loaded the machine is. On one
// with nothing else to do it takes a tenth of a second.
const inForce = 20 * time.Second

// generation has one more description than the world has, and a model of its number
// for it.
func (w *world) generation(e *embedder, n int, key string) string {
	return w.configuration(options{embedder: e, plugin: func(p *harness.Plugin) {
		p.Embeddings["auth"] = map[string]any{"header_name": "Authorization", "header_value": key}
		p.Targets[2].Model = fmt.Sprintf("generation-%d", n)
		more := p.Targets[0]
		more.Model, more.Description = "more", fmt.Sprintf("Knows about history, part %d", n)
		p.Targets = append(p.Targets, more)
	}})
}

// TestFault18Watch sends no signal: the files are watched.
func TestFault18Watch(t *testing.T) {
	r := begin(t, "Kubernetes' swap of ..data without a signal: changes, a new description, a new key of the embedder; a broken one, then a good one")
	e := newEmbedder(t)
	d := deploy(t, options{embedder: e})
	files := mount(t, d.file)
	const key = "Bearer key-of-the-embedder"
	var took []time.Duration
	for n := range 5 {
		d.post(chat(code)) // its vector is known
		e.Reset()
		e.recover()
		text := d.generation(e, n, key)
		files.swap(text)
		took = append(took, d.awaitModel(fmt.Sprintf("openai/generation-%d", n), code))
		require.Equal(t, []string{fmt.Sprintf("Knows about history, part %d", n)}, e.inputs(), "only what is new is embedded")
	}
	slices.Sort(took)
	require.Less(t, took[len(took)-1], inForce)
	r.saw("in force after %s to %s; only new descriptions embedded", took[0].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))

	e.Reset()
	e.recover()
	files.swap(d.generation(e, 5, "Bearer another-key"))
	d.awaitModel("openai/generation-5", code)
	require.Equal(t, 1, count(e.inputs(), "Knows about history, part 5"))
	require.Zero(t, count(e.inputs(), cooking), "another key has another cache of prompts, but the vectors of descriptions stay")

	d.requireRefusal(files, strings.Replace(d.generation(e, 6, key), "algorithm:", "algoritm:", 1))
	require.Less(t, d.awaitModel("openai/generation-5", code), inForce, "the last good one serves")
	d.RequireReady()
	files.swap(d.generation(e, 7, key))
	d.awaitModel("openai/generation-7", code)
	require.Empty(t, d.status().Refused)
	r.saw("the refusal in /status, log and metric, and gone after a good change")
}

func count(all []string, text string) int {
	return len(slices.DeleteFunc(all, func(s string) bool { return s != text }))
}

// requireRefusal swaps to a broken configuration, and finds the refusal everywhere.
func (d *deployment) requireRefusal(files *configMap, broken string) {
	d.t.Helper()
	applied, refused := d.reloads()
	before := time.Now()
	files.swap(broken)
	require.Eventually(d.t, func() bool { return d.status().Refused != "" }, waitLimit, waitStep)
	s := d.status()
	line := 1 + strings.Count(broken[:strings.Index(broken, "algoritm:")], "\n")
	sentence := fmt.Sprintf("%s:%d: plugins[0].config.balancer.algoritm: unknown field, did you mean \"algorithm\"?", d.file, line)
	require.Contains(d.t, s.Refused, sentence)
	require.NotContains(d.t, s.Refused, "key-of-")
	require.WithinRange(d.t, s.LastReload, before, time.Now())
	nowApplied, nowRefused := d.reloads()
	require.Equal(d.t, [2]int{applied, refused + 1}, [2]int{nowApplied, nowRefused})
	lines := slices.DeleteFunc(strings.Split(d.log(), "\n"), func(l string) bool {
		return !strings.Contains(l, `level=ERROR msg="reload refused, the last good configuration stays in force"`)
	})
	require.Len(d.t, lines, 1)
	require.Contains(d.t, lines[0], strings.ReplaceAll(sentence, `"`, `\"`))
}

// lastReload is the part of GET /status about the configuration.
type lastReload struct {
	LastReload time.Time `json:"last_reload"`
	Refused    string    `json:"refused"`
}

func (w *world) status() lastReload {
	w.t.Helper()
	page := w.Page("/status")
	require.Equal(w.t, 200, page.Status)
	var s struct{ Configuration lastReload }
	require.NoError(w.t, json.Unmarshal([]byte(page.Body), &s))
	return s.Configuration
}
