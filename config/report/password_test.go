package report_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/report"
)

func TestPasswordsAreToldFromWords(t *testing.T) {
	for _, password := range []string{"hunter2pass", "s3cretpw", "Tr0ub4dor", "P@ssw0rd!", "Summer2024", "password123", "my-secr3tword"} {
		require.True(t, report.MayBePassword(password), password)
	}
	for _, word := range []string{"rond-robin", "http_418", "gpt-4o-2024-08-06", "v1beta1", "configuration.konghq.com/v2", "llama2", "k8s", "h2c", "llm/v1/chat", "~/x{1001}", "10.0.0", "oauth2-introspection"} {
		require.False(t, report.MayBePassword(word), word)
	}
	require.True(t, report.IsWord("rond-robin", 12))
	require.False(t, report.IsWord("rond-robin", 8))
	require.False(t, report.IsWord("let#me@in", 20))
}
