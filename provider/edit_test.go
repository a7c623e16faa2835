package provider_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

func set(name, raw string) provider.Edit { return provider.Edit{Name: name, Raw: []byte(raw)} }
func remove(name string) provider.Edit   { return provider.Edit{Name: name} }

func TestEditKeepsEveryOtherByte(t *testing.T) {
	for _, tt := range []struct {
		name, body, want string
		edits            []provider.Edit
	}{
		{
			"replace in place", "{ \"model\" :\t\"a\" ,\n\"messages\":[ ] , \"x\": 1e2 }\n", "{ \"model\" :\t\"b\" ,\n\"messages\":[ ] , \"x\": 1e2 }\n",
			[]provider.Edit{set("model", `"b"`)},
		},
		{
			"add at the end", `{"messages":[] }`, `{"messages":[],"top_p":1.0,"top_k":5 }`,
			[]provider.Edit{set("top_p", "1.0"), set("top_k", "5")},
		},
		{"remove the first", `{ "a":1 , "messages":[]}`, `{ "messages":[]}`, []provider.Edit{remove("a")}},
		{"remove the last", `{"messages":[] , "a":1 }`, `{"messages":[] }`, []provider.Edit{remove("a")}},
		{"remove between", `{"b":2 ,"a":1, "messages":[]}`, `{"b":2, "messages":[]}`, []provider.Edit{remove("a")}},
		{"remove several", `{"a":1,"b":2,"messages":[],"c":3}`, `{"messages":[]}`, []provider.Edit{remove("a"), remove("b"), remove("c")}},
		{"remove all", `{"messages":[]}`, `{}`, []provider.Edit{remove("messages")}},
		{"remove all and add", `{ "messages":[] }`, `{"n":1 }`, []provider.Edit{remove("messages"), set("n", "1")}},
		{"remove what is not there", `{"messages":[]}`, `{"messages":[]}`, []provider.Edit{remove("a")}},
		{"name that needs escapes", `{"messages":[]}`, `{"messages":[],"a\"b":1}`, []provider.Edit{set(`a"b`, "1")}},
		{
			"same name further down", `{"messages":[{"model":"x"}],"m":{"model":"y"}}`, `{"messages":[{"model":"x"}],"m":{"model":"y"},"model":"z"}`,
			[]provider.Edit{set("model", `"z"`)},
		},
		{
			"numbers, escapes and unicode", `{"seed":12345678901234567890123,"f":0.10,"g":-0.0,"h":1E+400,"s":"\u00e9é\/😀\ud83d\ude00","messages":[],"model":"a"}`,
			`{"seed":12345678901234567890123,"f":0.10,"g":-0.0,"h":1E+400,"s":"\u00e9é\/😀\ud83d\ude00","messages":[],"model":"b","temperature":1.0}`,
			[]provider.Edit{set("model", `"b"`), set("temperature", "1.0")},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := []byte(tt.body)
			req, err := provider.ReadRequest(before)
			require.NoError(t, err)
			got, err := req.Edit(tt.edits...)
			require.NoError(t, err)
			require.Equal(t, tt.want, string(got))
			require.True(t, json.Valid(got))
			require.Equal(t, tt.body, string(before), "the client's body must not change")
		})
	}
}

func TestEditWithoutAChangeIsTheBodyItself(t *testing.T) {
	body := []byte(`{"messages":[]}`)
	req, err := provider.ReadRequest(body)
	require.NoError(t, err)
	got, err := req.Edit()
	require.NoError(t, err)
	require.Same(t, &body[0], &got[0])
}

func TestEditRefusesAnotherSpellingOfItsName(t *testing.T) {
	for _, body := range []string{
		`{"messages":[],"API_Key":"x"}`,
		`{"messages":[],"api\u005fkey":"x"}`,
		`{"messages":[],"api_key":"x","api_\u212aey":"y"}`,
	} {
		_, err := read(t, body).Edit(set("api_key", `"s"`))
		require.Equal(t, provider.CodeAmbiguousJSON, requestError(t, err).Code, body)
	}
}

func TestEditAllocatesOnlyItsOutput(t *testing.T) {
	req := read(t, string(chatBody(2<<10)))
	edits := []provider.Edit{set("model", `"b"`), set("top_k", "5"), remove("user")}
	allocs := testing.AllocsPerRun(100, func() { _, _ = req.Edit(edits...) })
	require.LessOrEqual(t, allocs, 1.0)
}
