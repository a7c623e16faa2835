package server

import (
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"semlb/envoy"
)

// headOf is a head of names and values in pairs.
func headOf(t *testing.T, pairs ...string) *exchange {
	t.Helper()
	var headers []*corev3.HeaderValue
	for i := 0; i < len(pairs); i += 2 {
		headers = append(headers, &corev3.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return exchangeOf(t, headers)
}

func TestTwoCredentialsInOneHeaderAreRefused(t *testing.T) {
	for name, pairs := range map[string][]string{
		"authorization":       {"authorization", "Bearer a", "authorization", "Bearer b"},
		"joined":              {"authorization", "Bearer a,Bearer b"},
		"joined, basic":       {"authorization", "basic a, Basic b"},
		"the same one":        {"apikey", "a", "apikey", "a"},
		"proxy-authorization": {"proxy-authorization", "Basic a", "x", "y", "proxy-authorization", "Basic b"},
		"of a provider":       {"x-goog-api-key", "a", "x-goog-api-key", ""},
	} {
		require.Error(t, headOf(t, pairs...).checkCredentials(), name)
	}
	for name, pairs := range map[string][]string{
		"one":                   {"authorization", "Bearer a", "apikey", "b"},
		"parameters":            {"authorization", `AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c`},
		"cookies":               {"cookie", "a=1", "cookie", "b=2"},
		"what is no credential": {"accept", "a", "accept", "b"},
	} {
		require.NoError(t, headOf(t, pairs...).checkCredentials(), name)
	}
}

// TestAConsumerIsNamedOnce: a listener that adds its own header to the client's would let the
// client choose.
func TestAConsumerIsNamedOnce(t *testing.T) {
	md := metadata.NewIncomingContext(t.Context(), metadata.Pairs(envoy.MetadataConsumer, envoy.FromHeaders))
	for _, name := range []string{envoy.HeaderConsumerName, envoy.HeaderConsumerID, envoy.HeaderConsumerCustom} {
		_, err := matchOf(md, headOf(t, name, "ann", name, "bob"))
		require.ErrorContains(t, err, name)
		_, err = matchOf(t.Context(), headOf(t, name, "ann", name, "bob"))
		require.NoError(t, err, "the listener trusts no header")
	}
	match, err := matchOf(md, headOf(t, envoy.HeaderConsumerName, "ann", envoy.HeaderConsumerGroups, "a", envoy.HeaderConsumerGroups, "b"))
	require.NoError(t, err)
	require.Equal(t, Match{Consumer: "ann", Groups: []string{"a", "b"}}, match)
}
