package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/wire"
)

func TestErrorBody(t *testing.T) {
	body := string(wire.ErrorBody("say \"a <b>\" \xff", "invalid_request_error", "c"))
	require.JSONEq(t, `{"error":{"message":"say \"a <b>\" \ufffd","type":"invalid_request_error","param":null,"code":"c"}}`, body)
	require.Contains(t, body, "<b>")
}
