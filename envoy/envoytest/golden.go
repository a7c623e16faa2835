// Package envoytest compares messages with golden files, for the tests of envoy and its
// packages.
package envoytest

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"semlb/test/golden"
)

// Golden compares a message with testdata/NAME.json of the package under test;
// UPDATE_GOLDEN=1 writes that file.
func Golden(t *testing.T, name string, m proto.Message) {
	t.Helper()
	golden.Check(t, filepath.Join("testdata", name+".json"), indented(t, m))
}

// indented is a message as JSON that is the same in every run: protojson varies its
// spaces.
func indented(t *testing.T, m proto.Message) string {
	t.Helper()
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, json.Indent(&out, text, "", "  "))
	out.WriteByte('\n')
	return out.String()
}
