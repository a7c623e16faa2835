package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// TestAlertsNameMetricsThatExist looks for every semlb_* name of the alerts in the
// code that registers metrics.
func TestAlertsNameMetricsThatExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "prometheus", "alerts.yaml"))
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	require.NotEmpty(t, file.Groups[0].Rules)
	code, err := exec.Command("git", "-C", filepath.Join("..", ".."), "grep", "-h", `Name: "semlb_`, "--", "*.go").Output()
	require.NoError(t, err)
	for _, rule := range file.Groups[0].Rules {
		require.NotEmpty(t, rule.Expr, rule.Alert)
		for _, name := range regexp.MustCompile(`semlb_[a-z_]+`).FindAllString(rule.Expr, -1) {
			require.Contains(t, string(code), `"`+name+`"`, "%s: nothing registers %s", rule.Alert, name)
		}
	}
}
