package terraform_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

func TestServicesOfTerraformHaveNoURL(t *testing.T) {
	for url, want := range map[string]string{
		"https://a.example/v1":             "  protocol = \"https\"\n  host = \"a.example\"\n  port = 443\n  path = \"/v1\"\n",
		"http://a.example":                 "  protocol = \"http\"\n  host = \"a.example\"\n  port = 80\n",
		"grpcs://[::1]:7000":               "  protocol = \"grpcs\"\n  host = \"::1\"\n  port = 7000\n",
		`http://${{ env "DECK_HOST" }}:81`: "  protocol = \"http\"\n  host = \"${var.host}\"\n  port = 81\n",
	} {
		out, _, err := load.Convert([]load.Source{{Name: "a.yaml", Data: []byte("services: [{name: s, url: '" + url + "'}]")}}, "terraform", load.Options{})
		require.NoError(t, err, url)
		require.Contains(t, regexp.MustCompile(` += `).ReplaceAllString(string(out), " = "), want, url)
		require.NotContains(t, string(out), "url", url)
	}
	for _, url := range []string{`${{ env "DECK_URL" }}`, "http://:80", "no url"} {
		_, _, err := load.Convert([]load.Source{{Name: "a.yaml", Data: []byte("services: [{name: s, url: '" + url + "'}]")}}, "terraform", load.Options{})
		require.EqualError(t, err, `convert to terraform: the url of service "s" cannot be taken apart: write protocol, host, port and path`, url)
	}
}

func TestExtensionsAreNamedThatKonnectDoesNotTake(t *testing.T) {
	text := configtest.Minimal + "    model_policy: strict\n    balancer: {spill: nearest, retries: 1}\n"
	_, warnings, err := load.Convert([]load.Source{{Name: "a.yaml", Data: []byte(text)}}, "terraform", load.Options{})
	require.NoError(t, err)
	require.Equal(t, []config.Warning{
		{Text: "config.model_policy is an extension of semlb, which Konnect's Terraform provider does not support"},
		{Text: "config.balancer.spill is an extension of semlb, which Konnect's Terraform provider does not support"},
	}, warnings)
}

func TestTextsOfTerraformAreQuoted(t *testing.T) {
	for text, want := range map[string]string{
		`a "b" \ ${c} %{d}`:                      `"a \"b\" \\ $${c} %%{d}"`,
		`${{ env "DECK_A" }}`:                    `"${var.a}"`,
		`x ${{ env "DECK_A" }} $y`:               `"x ${var.a} $y"`,
		`${{ env "DECK_A" }}${{ env "DECK_B" }}`: `"${var.a}${var.b}"`,
	} {
		out, _, err := load.Convert([]load.Source{{Name: "a.yaml", Data: []byte(configtest.Minimal + "      description: '" + text + "'\n")}}, "terraform", load.Options{})
		require.NoError(t, err)
		require.Contains(t, string(out), "description = "+want)
	}
}
