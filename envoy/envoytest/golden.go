// Package envoytest compares messages with golden files, for the tests of envoy and its
// packages.
package envoytest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Golden compares a message with testdata/NAME.json of the package under test;
// UPDATE_GOLDEN=1 writes that file.
func Golden(t *testing.T, name string, m proto.Message) {
	t.Helper()
	got := indented(t, m)
	file := filepath.Join("testdata", name+".json")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run make golden and look at the difference")
}

// indented is a message as JSON that is the same in every run: protojson varies its
// spaces.
func indented(t *testing.T, m proto.Message) []byte {
	t.Helper()
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, json.Indent(&out, text, "", "  "))
	out.WriteByte('\n')
	return out.Bytes()
}
