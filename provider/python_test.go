package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

// pythonCheck reads one case a line and says, one a line, if what Python reads
// after an edit is what was meant: same members in the same order, with numbers
// compared as they are written.
const pythonCheck = `
import base64, json, sys

def number(text): return ("number", text)

def load(text):
    return json.loads(text, parse_int=number, parse_float=number, object_pairs_hook=lambda pairs: pairs)

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

for line in sys.stdin:
    case = json.loads(line)
    before, after = (base64.b64decode(case[k]).decode("utf-8") for k in ("before", "after"))
    want = meant(load(before), case["edits"])
    doc = json.loads(before)
    prompts = [m["content"] for m in doc.get("messages") or []
               if isinstance(m, dict) and m.get("role") == "user" and isinstance(m.get("content"), str)]
    print(json.dumps({
        "same": load(after) == want,
        "model": doc.get("model") or "",
        "prompt": prompts[-1] if prompts else None,
    }), flush=False)
`

type pythonCase struct {
	Before []byte   `json:"before"`
	After  []byte   `json:"after"`
	Edits  [][2]any `json:"edits"`
}

type pythonVerdict struct {
	Same   bool    `json:"same"`
	Model  string  `json:"model"`
	Prompt *string `json:"prompt"`
}

// corpus are good bodies that are hard to splice.
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

func TestPythonReadsWhatWasMeant(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("python3 is not installed: the comparison with Python's json cannot run")
	}
	var stdin bytes.Buffer
	var requests []*provider.Request
	lines := json.NewEncoder(&stdin)
	for _, body := range corpus() {
		req := read(t, body)
		for _, edits := range corpusEdits() {
			after, err := req.Edit(edits...)
			require.NoError(t, err)
			c := pythonCase{Before: []byte(body), After: after}
			for _, e := range edits {
				raw := any(nil)
				if e.Raw != nil {
					raw = string(e.Raw)
				}
				c.Edits = append(c.Edits, [2]any{e.Name, raw})
			}
			require.NoError(t, lines.Encode(c))
			requests = append(requests, req)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-c", pythonCheck)
	cmd.Stdin = &stdin
	out, err := cmd.Output()
	require.NoError(t, err)

	verdicts := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, verdicts, len(requests))
	for i, line := range verdicts {
		var v pythonVerdict
		require.NoError(t, json.Unmarshal([]byte(line), &v))
		require.True(t, v.Same, "case %d", i)
		require.Equal(t, v.Model, requests[i].Model)
		if v.Prompt != nil {
			require.Equal(t, *v.Prompt, requests[i].Prompt())
		}
	}
}
