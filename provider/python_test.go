package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

// pythonCheck reads one case from each line. For each it prints whether Python reads
// the edited body as intended, with the same members in the same order and numbers
// compared as text, and which model and prompt Python reads in the body.
const pythonCheck = `
import base64, json, sys

def number(text): return ("number", text)

def load(text, pairs=lambda pairs: pairs):
    return json.loads(text, parse_int=number, parse_float=number, object_pairs_hook=pairs)

def meant(pairs, edits):
    pairs = list(pairs)
    for name, raw in edits:
        at = [i for i, (key, _) in enumerate(pairs) if key == name]
        if raw is None:
            pairs = [p for p in pairs if p[0] != name]
        elif at:
            pairs[at[0]] = (name, load(raw))
        else:
            pairs.append((name, load(raw)))
    return pairs

def texts(content):
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [p["text"] for p in parts
            if isinstance(p, dict) and p.get("type") in ("text", "input_text") and isinstance(p.get("text"), str)]

def prompt(doc):
    for name in ("messages", "prompt"):
        value = doc.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            users = [m for m in value if isinstance(m, dict) and m.get("role") == "user"]
            return "\n".join(texts(users[-1].get("content"))) if users else ""
    return ""

for line in sys.stdin:
    case = json.loads(line)
    before, after = (base64.b64decode(case[k]).decode("utf-8") for k in ("before", "after"))
    doc = load(before, dict)
    print(json.dumps({
        "same": load(after) == meant(load(before), case["edits"]),
        "model": doc.get("model") or "",
        "prompt": prompt(doc),
    }))
`

type pythonCase struct {
	Before []byte   `json:"before"`
	After  []byte   `json:"after"`
	Edits  [][2]any `json:"edits"`
}

type pythonVerdict struct {
	Same   bool   `json:"same"`
	Model  string `json:"model"`
	Prompt string `json:"prompt"`
}

// corpus returns valid bodies that are hard to splice.
func corpus() []string {
	bodies := append(clientBodies(),
		`{"messages":[]}`,
		"\r\n\t { \"messages\"\t:\n[ ] \r,\t\"x\" : null } \n",
		`{"a":1,"model":"x","messages":[{"role":"user","content":"model\",\"model\":\"y"}],"z":[]}`,
		`{"":0,"messages":[],"\u0000":1,"\n":2,"\ud83d\ude00":3,"é":4}`,
		`{"messages":[{"role":"user","content":"\u0022}],\"model\":\"z\""}],"big":123456789012345678901234567890,"e":1E-7,"neg":-0,"f":1.10}`,
		`{"user":"u","stream":true,"messages":[{"role":"user","content":"é \u00e9 \\ \/ 😀"}],"model":"gpt-4"}`,
		`{"temperature":0.1,"temperature2":0.2,"xtop_p":1,"messages":[],"top_p":1}`,
		`{"prompt":"only","model":"m","max_tokens":1}`,
		`{"input":[{"role":"user","content":"q"}],"model":"m"}`,
		`{"messages":[],"tools":[{"function":{"parameters":{"properties":{"model":{"type":"string"},"max_tokens":{}}}}}]}`,
	)
	return append(bodies, string(chatBody(2<<10)))
}

func corpusEdits() [][]provider.Edit {
	return [][]provider.Edit{
		{set("model", `"new \"name\" \u00e9"`)},
		{set("max_tokens", "12345678901234567890"), remove("max_completion_tokens")},
		{remove("messages"), remove("model")},
		{set("temperature", "1.0"), set("top_p", "1e-1"), set("top_k", "-0")},
		{remove("x"), remove("z"), remove("a"), remove("big")},
		{remove("max_tokens"), set("max_completion_tokens", "5"), set("stream", "true"), remove("user")},
		{set("model", `"m"`), remove("stream"), set("sécret", `"s"`)},
	}
}

// TestPythonReadsTheSameRequest compares reading and editing with Python's json, on
// bodies that are hard to splice and on all of the fuzzing corpus that ReadRequest
// accepts.
func TestPythonReadsTheSameRequest(t *testing.T) {
	var requests []*provider.Request
	var cases []pythonCase
	for _, body := range append(corpus(), fuzzedBodies(t)...) {
		req, err := provider.ReadRequest([]byte(body))
		if err != nil {
			continue
		}
		for _, edits := range corpusEdits() {
			after, err := req.Edit(edits...)
			require.NoError(t, err)
			requests = append(requests, req)
			cases = append(cases, newPythonCase(body, after, edits))
		}
	}
	require.Greater(t, len(cases), 2*len(corpus())*len(corpusEdits()), "the corpus of fuzzing is gone: make fuzz corpus")
	for i, v := range askPython(t, cases) {
		require.True(t, v.Same, "%s\nbecame\n%s\nby %v", cases[i].Before, cases[i].After, cases[i].Edits)
		require.Equal(t, v.Model, requests[i].Model, "%s", cases[i].Before)
		require.Equal(t, v.Prompt, requests[i].Prompt(), "%s", cases[i].Before)
	}
}

func newPythonCase(before string, after []byte, edits []provider.Edit) pythonCase {
	c := pythonCase{Before: []byte(before), After: after}
	for _, e := range edits {
		raw := any(nil)
		if e.Raw != nil {
			raw = string(e.Raw)
		}
		c.Edits = append(c.Edits, [2]any{e.Name, raw})
	}
	return c
}

// askPython runs pythonCheck on cases and returns a verdict for each.
func askPython(t *testing.T, cases []pythonCase) []pythonVerdict {
	t.Helper()
	python, err := exec.LookPath("python3")
	require.NoError(t, err, "the comparison with Python's json cannot run")
	var stdin bytes.Buffer
	lines := json.NewEncoder(&stdin)
	for _, c := range cases {
		require.NoError(t, lines.Encode(c))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-c", pythonCheck)
	cmd.Stdin = &stdin
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	verdicts := make([]pythonVerdict, 0, len(cases))
	for line := range strings.Lines(string(out)) {
		var v pythonVerdict
		require.NoError(t, json.Unmarshal([]byte(line), &v))
		verdicts = append(verdicts, v)
	}
	require.Len(t, verdicts, len(cases))
	return verdicts
}

// fuzzedBodies returns the bodies in the fuzzing corpus.
func fuzzedBodies(t *testing.T) []string {
	t.Helper()
	var bodies []string
	for _, target := range []string{"FuzzReadRequest", "FuzzEdit"} {
		files, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			// A version, then a line for each argument: []byte("…") is the first.
			argument := strings.Split(string(data), "\n")[1]
			quoted, ok := strings.CutPrefix(strings.TrimSuffix(argument, ")"), "[]byte(")
			require.True(t, ok, "%s: %s", file, argument)
			body, err := strconv.Unquote(quoted)
			require.NoError(t, err, file)
			bodies = append(bodies, body)
		}
	}
	return bodies
}
