package envoy

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// readable is a message as JSON that looks the same at every run: protojson
// itself varies its spaces on purpose.
func readable(t *testing.T, m proto.Message) []byte {
	t.Helper()
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, json.Indent(&out, text, "", "  "))
	out.WriteByte('\n')
	return out.Bytes()
}

// testCA is a certificate authority that nobody trusts, for configurations that
// Envoy reads but does not run.
const testCA = `-----BEGIN CERTIFICATE-----
MIIBgDCCASegAwIBAgIUECgY28W5dOYlFRUpEVEbFOY1C3IwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKc2VtbGItdGVzdDAgFw0yNjExMjMxNDM1NDJaGA8yMTI2MTAz
MDE0MzU0MlowFTETMBEGA1UEAwwKc2VtbGItdGVzdDBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABFT+8gjY8t3U2H49zG5Dn3NOtzxv0syF08Afs09eBJGt0Sx9+WR5
wz9BsxhzL29YPrHobGfAfM31SIZ3KTq5RCmjUzBRMB0GA1UdDgQWBBQ5u5P3pXo/
WMf2ASNVS7rlHJ0V2jAfBgNVHSMEGDAWgBQ5u5P3pXo/WMf2ASNVS7rlHJ0V2jAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIDb9bcPiACKbzTCg6abg
bd+cPyqQVyUlwooYfdC385ECAiA0mWlmmsrq+3cJltgzNyTLeOMyxKU+JNRv0Xnv
AsyWwg==
-----END CERTIFICATE-----
`
