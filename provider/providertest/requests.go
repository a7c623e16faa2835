package providertest

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

// marked is in every prompt and must not be in errors. clientSecret is in every
// credential of the client and must not reach a provider.
const (
	marked       = "xyzzy"
	clientSecret = "client-plugh"
)

// requestBodies are bodies of both route types that every dialect must accept. They
// have fields that are absent, null, and in every place, numbers and strings that
// decoders change, and members that no dialect knows.
var requestBodies = []string{
	`{"model":"m","messages":[{"role":"user","content":"hi xyzzy"}]}`,
	"{ \"messages\" : [ {\"role\":\"user\",\"content\":\"xyzzy\"} ] ,\n \"max_tokens\" : 12345678901234567890 , \"model\":\"a\\u0062\" , \"seed\":1e0 }\n",
	`{"max_completion_tokens":5,"temperature":0.70,"top_p":null,"model":"gpt-5","messages":[{"role":"user","content":"xyzzy"}],"stream":false}`,
	`{"max_tokens":null,"max_completion_tokens":5,"messages":[{"role":"user","content":"xyzzy"}],"model":"o1","top_k":1.50,"stream":true}`,
	`{"max_tokens":3,"max_completion_tokens":null,"messages":[{"role":"user","content":"xyzzy"}],"model":"o1","stream":null}`,
	`{"max_tokens":3,"max_completion_tokens":4,"messages":[{"role":"user","content":"xyzzy"}],"model":"o4-mini"}`,
	`{"x-first":{"big":123456789012345678901234567890},"messages":[{"role":"system","content":"be brief"},` +
		`{"role":"user","content":[{"type":"text","text":"é \u00e9 \ud83d\ude00 xyzzy"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}],` +
		`"model":"m","stream":true,"stream_options":{"include_usage":true},"user":"u","x-last":[1.10,-0,1E-7]}`,
	`{"model":"m","messages":[{"role":"user","content":"call xyzzy"},` +
		`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"model\":\"x\"}"}}]},` +
		`{"role":"tool","tool_call_id":"c1","content":"42"}],` +
		`"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"model":{"type":"string"}}}}}],"tool_choice":"auto"}`,
	`{"prompt":"complete xyzzy","model":"m","max_tokens":7,"echo":true}`,
	`{"suffix":"!","prompt":"xyzzy","temperature":1.0}`,
}

// oddBodies are bodies that ReadRequest accepts and providers may refuse.
var oddBodies = []string{
	`{"messages":[]}`,
	`{"messages":[{"role":"user","content":"xyzzy"}]}`,
	`{"messages":[{"role":"user","content":"xyzzy"}],"model":""}`,
	`{"messages":[{"role":"user","content":"xyzzy"}],"model":"xyzzy\r\nx: y"}`,
	`{"messages":[1,null,[],{"role":5,"content":{"text":"xyzzy"}},{"content":"xyzzy"},{"role":"xyzzy"}],"model":"m"}`,
	`{"messages":[{"role":"user","content":["xyzzy",{"type":"xyzzy"},{"type":"text","text":1}]}],"model":"m"}`,
	`{"messages":[{"role":"assistant","tool_calls":"xyzzy"},{"role":"tool","content":"xyzzy"}],"model":"m","tools":{"xyzzy":1}}`,
	`{"messages":[{"role":"user","content":"xyzzy"}],"model":"m","max_tokens":"xyzzy","temperature":[],"top_p":{},"stop":{"xyzzy":1}}`,
	`{"prompt":"xyzzy","max_tokens":-1,"stream_options":"xyzzy"}`,
}

// read reads a valid body.
func read(t testing.TB, body string) *provider.Request {
	t.Helper()
	req, err := provider.ReadRequest([]byte(body))
	require.NoError(t, err)
	return req
}

// member is a top-level member of a JSON object, with numbers as they are written.
type member struct {
	Name  string
	Value any
}

// membersOf returns the members of an object in their order.
func membersOf(t testing.TB, body []byte) []member {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	_, err := dec.Token()
	require.NoError(t, err, "%s", body)
	var all []member
	for dec.More() {
		name, err := dec.Token()
		require.NoError(t, err, "%s", body)
		m := member{Name: name.(string)}
		require.NoError(t, dec.Decode(&m.Value), "%s", body)
		all = append(all, m)
	}
	return all
}

// without returns the members whose names are not in names.
func without(all []member, names map[string]bool) []member {
	kept := []member{}
	for _, m := range all {
		if !names[m.Name] {
			kept = append(kept, m)
		}
	}
	return kept
}

// valueOf returns the value of each member by its name.
func valueOf(all []member) map[string]any {
	values := make(map[string]any, len(all))
	for _, m := range all {
		values[m.Name] = m.Value
	}
	return values
}
