package templates_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
	"semlb/config/templates"
)

func TestTemplatesAreFilledIntoTheText(t *testing.T) {
	env := configtest.Environment(map[string]string{
		"DECK_A": "a value", "DECK_N": "042", "DECK_F": "1.50", "DECK_T": "T", "DECK_PEM": "one\ntwo\nthree", "DECK_E": "",
	})
	for _, tt := range []struct{ text, want string }{
		{"no template", "no template"},
		{`x: ${{ env "DECK_A" }} y`, "x: a value y"},
		{`x: ${{env "DECK_A"}}${{env ` + "`DECK_N`" + `}}`, "x: a value042"},
		{`x: ${{ env "DECK_N" | toInt }}`, "x: 42"},
		{`x: ${{ toInt (env "DECK_N") }}`, "x: 42"},
		{`x: ${{ env "DECK_F" | toFloat }}`, "x: 1.5"},
		{`x: ${{ env "DECK_T" | toBool }}`, "x: true"},
		{"x: |\n  ${{ env \"DECK_PEM\" | indent 2 }}\n", "x: |\n  one\n  two\n  three\n"},
		{`x: "${{ env "DECK_E" }}"`, `x: ""`},
		{"  # ${{ env \"DECK_NONE\" }}\nx: 1 # ${{ env \"DECK_A\" }}", "  # ${{ env \"DECK_NONE\" }}\nx: 1 # a value"},
		{"x: $ {{ env }} $} }}", "x: $ {{ env }} $} }}"},
		{`x: ${{ (env "DECK_A") }}`, "x: a value"},
		{`x: ${{ printf "Bearer %s" (env "DECK_A") }}`, "x: Bearer a value"},
		{`x: ${{ env "DECK_E" | or "b" }}${{ len (env "DECK_A") }}`, "x: b7"},
		{"${{ if eq (env \"DECK_T\") \"T\" -}}\nx: 1\n${{- else }}\nx: 2\n${{ end }}\ny: 3", "x: 1\ny: 3"},
		{"${{ $a := env \"DECK_A\" }}${{ range $i := 2 }}x${{ $i }}: ${{ $a }}\n${{ end }}", "x0: a value\nx1: a value\n"},
		{"${{ define \"t\" }}<${{ . }}>${{ end }}x: ${{ template \"t\" 5 }}", "x: <5>"},
		{"${{/* it's a comment */}}x: ${{ env\n\"DECK_A\" }}", "x: a value"},
	} {
		d, faults := templates.Render("kong.yaml", []byte(tt.text), templates.Options{Env: env})
		require.Empty(t, faults, tt.text)
		require.Equal(t, tt.want, d.String(config.Position{}).Text)
	}
}

func TestTemplatesThatCannotBeFilledInAreFaultsWithTheirLine(t *testing.T) {
	env := configtest.Environment(map[string]string{"DECK_A": configtest.Marker})
	for text, want := range map[string]string{
		`${{ env "DECK_NONE" }}`:               "DECK_NONE is not set: export DECK_NONE=…",
		`${{ env "HOME" }}`:                    `variable "HOME" does not start with DECK_`,
		`${{ env "DECK_A" | toInt }}`:          "variable DECK_A: got a value that is not an integer",
		`${{ env "DECK_A" | toFloat }}`:        "variable DECK_A: got a value that is not a number",
		`${{ env "DECK_A" | toBool }}`:         "variable DECK_A: got a value that is not true or false",
		`${{ env "DECK_A" | indent }}`:         `got 1 argument of "indent", want 2`,
		`${{ env "DECK_A" | indent "a" }}`:     "want indent with a whole number up to 1000",
		`${{ env "DECK_A" | upper }}`:          `unknown function "upper"`,
		`${{ env "DECK_A" `:                    "want }} on the same line",
		`${{ env "DECK_a: ${{ env "DECK_A" }}`: "want }} on the same line",
		`${{ env ("DECK_A" }}`:                 `want a form like env "DECK_NAME"`,
		`${{ }}`:                               `want a form like env "DECK_NAME"`,
		`${{ env DECK_A }}`:                    `want a form like env "DECK_NAME"`,
		`${{ env "DECK_A" "DECK_B" }}`:         `want a form like env "DECK_NAME"`,
		`${{ env "DECK_A" | indent -1 }}`:      "want indent with a whole number up to 1000",
		`${{ end }}`:                           "an end or an else without a block",
		`${{ $x }}`:                            "a variable that is not declared",
		// A name that holds the value of a variable is not shown.
		`${{ env (env "DECK_A") }}`:                    `variable "[redacted]" does not start with DECK_`,
		`${{ env (print "DECK_" (env "DECK_A")) }}`:    "[redacted] is not set: export [redacted]=…",
		`${{ print "a" (toInt (env "DECK_A")) "b" }}`:  "variable DECK_A: got a value that is not an integer",
		`${{ env "DECK_A" }} ${{ 1x }} ${{ len "a" }}`: `want a form like env "DECK_NAME"`,
	} {
		d, faults := templates.Render("kong.yaml", []byte("a: 1\nb: "+text+"\nc: "+`${{ env "DECK_A" }}`), templates.Options{Env: env})
		require.Len(t, faults, 1, text)
		require.Equal(t, "kong.yaml:2: "+want, strings.Replace(faults[0].Error(), "render template: ", "", 1))
		require.True(t, strings.HasSuffix(d.String(config.Position{}).Text, "\nc: "+configtest.Marker), "what follows is read: %q", d.String(config.Position{}).Text)
	}
}

func TestLinesAreThoseOfTheFileWhateverIsFilledIn(t *testing.T) {
	env := configtest.Environment(map[string]string{"DECK_PEM": "one\ntwo\nthree"})
	text := "_comment: |\n  ${{ env \"DECK_PEM\" | indent 2 }}\nplugins: 1\nroutes: 2\n"
	_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{Env: env})
	require.EqualError(t, err, "kong.yaml:3: plugins: got an integer, want a list\nkong.yaml:4: routes: got an integer, want a list")
}

func TestOnlyWhatWasFilledInIsHidden(t *testing.T) {
	env := configtest.Environment(map[string]string{"DECK_A": configtest.Marker})
	text := "_format_version: [${{ env \"DECK_A\" }}]\nplugins: ${{ env \"DECK_A\" }}\n" +
		"_comment: {x: \"é ${{ env \"DECK_A\" }}\"}\nserviecs: 1\n${{ env \"DECK_A\" }}: 1\n"
	_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{Env: env})
	require.EqualError(t, err, `kong.yaml:1: _format_version: got a list, want 1.1, 2.1 or 3.0
kong.yaml:2: plugins: got a string, want a list
kong.yaml:4: serviecs: unknown field, did you mean "services"?
kong.yaml:5: [redacted]: unknown field`)
}

// TestTemplatesThatStopTheExecutionQuoteNothing has the errors of text/template that
// quote values.
func TestTemplatesThatStopTheExecutionQuoteNothing(t *testing.T) {
	env := configtest.Environment(map[string]string{"DECK_A": configtest.Marker, "DECK_LONG": strings.Repeat("x", 1<<16)})
	const misfit = "got a value or an argument that does not fit"
	for text, want := range map[string]string{
		`${{ range env "DECK_A" }}x${{ end }}`:                                               misfit,
		`${{ (env "DECK_A").x }}`:                                                            misfit,
		`${{ index (env "DECK_A") 1000 }}`:                                                   misfit,
		`${{ slice (env "DECK_A") 1000 }}`:                                                   misfit,
		`${{ lt (env "DECK_A") 1 }}`:                                                         misfit,
		`${{ template "DECK_A" }}`:                                                           misfit,
		`${{ printf 1 (env "DECK_A") }}`:                                                     misfit,
		`${{ call (env "DECK_A") }}`:                                                         misfit,
		`${{ printf "%2000s" (env "DECK_A") }}`:                                              "want printf with widths below 1000",
		`${{ range $i := 1000000000000 }}${{ end }}`:                                         "too many steps",
		`${{ define "a" }}${{ template "a" }}${{ end }}${{ template "a" }}`:                  misfit,
		`${{ $x := env "DECK_LONG" }}${{ range $i := 99 }}${{ $x = print $x $x }}${{ end }}`: "too much text",
		strings.Repeat("${{ if 1 }}", 100):                                                   "blocks are nested too deep",
		`${{ if 1 }}`:                                                                        "want ${{ end }} behind it",
	} {
		doc, faults := templates.Render("kong.yaml", []byte("a: 1\nb: "+text), templates.Options{Env: env})
		require.Nil(t, doc)
		require.Len(t, faults, 1, text)
		require.Equal(t, "kong.yaml:2: render template: "+want, faults[0].Error(), text)
	}
}

func TestValuesStayHiddenAndMissingOnesBrokenThroughFunctions(t *testing.T) {
	env := configtest.Environment(map[string]string{"DECK_A": configtest.Marker})
	text := "${{ $a := env \"DECK_A\" }}${{ $b := env \"DECK_B\" }}\nplugins: ${{ printf \"%q\" $a }}\nroutes: ${{ $b | html }}\nservices: 1\n"
	_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{Env: env})
	require.EqualError(t, err, "kong.yaml:1: DECK_B is not set: export DECK_B=…\n"+
		"kong.yaml:2: plugins: got a string, want a list\nkong.yaml:4: services: got an integer, want a list")
	_, _, err = load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{Env: env, AllowUnset: true})
	require.EqualError(t, err, "kong.yaml:2: plugins: got a string, want a list\nkong.yaml:4: services: got an integer, want a list")
}

func TestTemplatesOfOneValueStayTemplatesInDeck(t *testing.T) {
	header := func(template string) []load.Source {
		return []load.Source{{Name: "a.yaml", Data: []byte(configtest.Minimal + "      auth: {header_name: A, header_value: '" + template + "'}\n")}}
	}
	for _, template := range []string{`${{ env "DECK_A" }}`, `${{ printf "Bearer %s" (env "DECK_A") }}`} {
		out, _, err := load.Convert(header(template), "deck", load.Options{})
		require.NoError(t, err)
		require.Contains(t, string(out), template)
	}
	_, _, err := load.Convert(header(`${{ printf "Bearer %s" (env "DECK_A") }}`), "terraform", load.Options{})
	require.EqualError(t, err, "convert to terraform: the value of DECK_A goes through a template, which only deck has")
	_, _, err = load.Convert(header(`${{ if env "DECK_A" }}a${{ end }}`), "deck", load.Options{})
	require.EqualError(t, err, "a.yaml:7: render template: a template with a variable or a control structure cannot be converted")
	out, _, err := load.Convert(header(`${{ print "a" "b" }}`), "kubernetes", load.Options{})
	require.NoError(t, err)
	require.NotContains(t, string(out), "$")
}
