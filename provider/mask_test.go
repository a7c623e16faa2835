package provider_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/wire"
)

func masked(t *testing.T, auth provider.Auth, sent provider.Client, request, response string) (maskedRequest, maskedResponse string) {
	t.Helper()
	other := provider.CollectCredentials(provider.Auth{ParamName: "others", ParamValue: wire.NewSecret("x"), ParamLocation: "body"})
	return newTarget(t, withRoute(provider.Settings{Provider: "openai", Model: "m", Auth: auth, Credentials: other})).Mask(sent, request, response)
}

// Whose credential it is, the target's or the client's, cannot be seen from its value.
func TestCredentialsInPayloadsAreHidden(t *testing.T) {
	auth := provider.Auth{ParamName: "to\"ken", ParamValue: wire.NewSecret("ours"), ParamLocation: "body", AllowOverride: true}
	const hidden = `"[redacted]"`
	for _, tt := range []struct{ name, request, want string }{
		{"the target's or the client's", `{"to\"ken": "ours", "a": 1}`, `{"to\"ken": ` + hidden + `, "a": 1}`},
		{"escaped", `{"to\u0022ken":"\u006furs"}`, `{"to\u0022ken":` + hidden + `}`},
		{"not a text", `{"to\"ken":{"key":["theirs"]},"a":{}}`, `{"to\"ken":` + hidden + `,"a":{}}`},
		{"of another target", `{"others":null}`, `{"others":` + hidden + `}`},
		{"twice", `{"others":1,"others":2}`, `{"others":` + hidden + `,"others":` + hidden + `}`},
		{"well-known, within", `{"data_sources":[{"authentication":{"type":"api_key","Key":"theirs"}}]}`, `{"data_sources":[{"authentication":{"type":"api_key","Key":` + hidden + `}}]}`},
		{"a header within", `{"tools":[{"headers":{"Authorization":"Bearer x"}}]}`, `{"tools":[{"headers":{"Authorization":` + hidden + `}}]}`},
		{"a schema's property", `{"properties":{"key":{"type":"string"}}}`, `{"properties":{"key":{"type":"string"}}}`},
		{"a value that is a name", `{"messages":[{"content":"others"},"key"]}`, `{"messages":[{"content":"others"},"key"]}`},
		{"cut within", `{"a":1,"others":"thei`, `{"a":1,"others":` + hidden},
		{"cut before", `{"a":1,"others"`, `{"a":1,"others":` + hidden},
		{"cut within another", `{"others":"theirs","a":"tex`, `{"others":` + hidden + `,"a":"tex`},
		{"not JSON", `{"others":"theirs",} "others":"theirs"`, `{"others":` + hidden + `[redacted]`},
		{"nothing", ``, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request, response := masked(t, auth, provider.Client{}, tt.request, "ours")
			require.Equal(t, tt.want, request)
			require.Equal(t, "ours", response, "short enough to be a part of words")
		})
	}
}

func TestCredentialsThatAreQuotedAreHidden(t *testing.T) {
	sent := provider.Client{
		Query:  "key=in-the%20query",
		Header: headers(map[string]string{"authorization": "Bearer in-a-header", "x-own": "in-own-header"}),
	}
	auth := provider.Auth{HeaderName: "X-Own", HeaderValue: wire.NewSecret("in-own-header"), AllowOverride: true}
	request, response := masked(t, auth, sent, `{"others":"in-the-body","prompt":"my key is in-a-header"}`,
		strings.Join([]string{"in-the query", "in-a-header", "in-own-header", "in-the-body", "word"}, " "))
	require.JSONEq(t, `{"others":"[redacted]","prompt":"my key is [redacted]"}`, request)
	require.Equal(t, "[redacted] [redacted] [redacted] [redacted] word", response)
}
