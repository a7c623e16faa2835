package wire_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"semlb/wire"
)

const marker = "sk-MARKER"

// everyForm returns what value looks like in every way to print, log or marshal it.
func everyForm(t *testing.T, value any) string {
	t.Helper()
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%p", "%T"} {
		fmt.Fprintf(&out, verb+"\n", value)
	}
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		data, err := marshal(value)
		require.NoError(t, err)
		out.Write(data)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "value", value)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "value", value)
	return out.String()
}

func TestSecretIsVisibleOnlyWhenRevealed(t *testing.T) {
	s := wire.NewSecret(marker)
	type inside struct{ hidden wire.Secret }
	for _, value := range []any{
		s, &s, []wire.Secret{s}, map[string]wire.Secret{"a": s}, inside{s}, &inside{s}, []inside{{s}}, struct{ Shown wire.Secret }{s},
	} {
		got := everyForm(t, value)
		require.NotContains(t, got, marker)
		require.NotContains(t, strings.ToLower(got), fmt.Sprintf("%x", marker))
	}
	data, err := xml.Marshal(s)
	require.NoError(t, err)
	require.NotContains(t, string(data), marker)
	require.Equal(t, marker, s.Reveal())
}

func TestSecretPrintsAsRedacted(t *testing.T) {
	s := wire.NewSecret(marker)
	require.Equal(t, wire.Redacted, fmt.Sprint(s))
	require.Equal(t, wire.Redacted, s.GoString())
	require.Equal(t, wire.Redacted, s.LogValue().String())
	data, err := json.Marshal(map[string]wire.Secret{"key": s})
	require.NoError(t, err)
	require.JSONEq(t, `{"key": "[redacted]"}`, string(data))
	text, err := s.MarshalText()
	require.NoError(t, err)
	require.Equal(t, wire.Redacted, string(text))
}

func TestSecretsCompareByValue(t *testing.T) {
	require.True(t, wire.NewSecret(marker).Equal(wire.NewSecret(marker)))
	require.False(t, wire.NewSecret(marker).Equal(wire.NewSecret("another")))
	require.True(t, wire.NewSecret("").IsZero())
	require.False(t, wire.NewSecret(marker).IsZero())
	require.Equal(t, wire.Secret{}, wire.NewSecret(""))
	require.Empty(t, wire.Secret{}.Reveal())
}
