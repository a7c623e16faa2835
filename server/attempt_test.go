package server

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/envoy"
	"semlb/provider"
)

// A body that was readable when its plan was made, and is not at a later attempt, is a
// fault of semlb or of the Envoy between: the client could do nothing about it.
func TestAnAttemptThatCannotBeReadIsNotTheClientsFault(t *testing.T) {
	request, err := provider.ReadRequest([]byte(goodBody))
	require.NoError(t, err)
	originals, err := provider.EncodeOriginals(request, provider.Touched{}, "")
	require.NoError(t, err)
	for name, originals := range map[string]string{"rewritten": originals, "not rewritten": ""} {
		t.Run(name, func(t *testing.T) {
			w := newTestServer(t, fixedPlan{})
			head := headersMessage(false, ":path", "/", envoy.HeaderInstance, "i", envoy.HeaderPlan, "a1,b2",
				envoy.HeaderAttempt, "2", envoy.HeaderOriginals, originals)
			answers, err := w.talk([]string{envoy.RoleInner}, head, bodyMessage(`{"a private key":1,"a private key":2}`))
			require.NoError(t, err)
			answer := answers[len(answers)-1].GetImmediateResponse()
			require.EqualValues(t, 500, answer.GetStatus().GetCode())
			require.Contains(t, string(answer.GetBody()), `"type":"server_error"`)
			require.Contains(t, string(answer.GetBody()), `"code":"rewrite_failed"`)
			require.Eventually(t, func() bool { return len(w.log.String()) > 0 }, time.Minute, time.Millisecond)
			require.Contains(t, w.log.String(), "level=ERROR")
			require.NotContains(t, w.log.String(), "private")
		})
	}
}
