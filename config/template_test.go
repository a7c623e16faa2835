package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTemplatesAreFilledIntoTheText(t *testing.T) {
	env := environment(map[string]string{
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
	} {
		d, faults := fill("kong.yaml", []byte(tt.text), env)
		require.Empty(t, faults, tt.text)
		require.Equal(t, tt.want, string(d.text))
	}
}

func TestTemplatesThatCannotBeFilledInAreFaultsWithTheirLine(t *testing.T) {
	env := environment(map[string]string{"DECK_A": marker})
	for text, want := range map[string]string{
		`${{ env "DECK_NONE" }}`:           "DECK_NONE is not set: export DECK_NONE=…",
		`${{ env "HOME" }}`:                `variable "HOME" does not start with DECK_`,
		`${{ env "DECK_A" | toInt }}`:      "variable DECK_A: got a value that is not an integer",
		`${{ env "DECK_A" | toFloat }}`:    "variable DECK_A: got a value that is not a number",
		`${{ env "DECK_A" | toBool }}`:     "variable DECK_A: got a value that is not true or false",
		`${{ env "DECK_A" | indent }}`:     `got 1 argument of "indent", want 2`,
		`${{ env "DECK_A" | indent "a" }}`: "want indent with a whole number up to 1000",
		`${{ env "DECK_A" | upper }}`:      `unknown function "upper"`,
		`${{ env "DECK_A" `:                "want }} on the same line",
		`${{ env ("DECK_A" }}`:             `want a form like env "DECK_NAME"`,
		`${{ (env "DECK_A") }}`:            `want a form like env "DECK_NAME"`,
		`${{ }}`:                           `want a form like env "DECK_NAME"`,
	} {
		d, faults := fill("kong.yaml", []byte("a: 1\nb: "+text+"\nc: "+`${{ env "DECK_A" }}`), env)
		require.Len(t, faults, 1, text)
		require.Equal(t, "kong.yaml:2: "+want, strings.Replace(faults[0].Error(), "fill in template: ", "", 1))
		require.True(t, strings.HasSuffix(string(d.text), "\nc: "+marker), "what follows is read: %q", d.text)
	}
}

func TestLinesAreThoseOfTheFileWhateverIsFilledIn(t *testing.T) {
	env := environment(map[string]string{"DECK_PEM": "one\ntwo\nthree"})
	text := "_comment: |\n  ${{ env \"DECK_PEM\" | indent 2 }}\nplugins: 1\nroutes: 2\n"
	_, _, err := Load([]Source{{Name: "kong.yaml", Data: []byte(text)}}, Options{Env: env})
	require.EqualError(t, err, "kong.yaml:3: plugins: got an integer, want a list\nkong.yaml:4: routes: got an integer, want a list")
}

func TestOnlyWhatWasFilledInIsHidden(t *testing.T) {
	env := environment(map[string]string{"DECK_A": marker})
	text := "_format_version: [${{ env \"DECK_A\" }}]\nplugins: ${{ env \"DECK_A\" }}\n" +
		"_comment: {x: \"é ${{ env \"DECK_A\" }}\"}\nserviecs: 1\n${{ env \"DECK_A\" }}: 1\n"
	_, _, err := Load([]Source{{Name: "kong.yaml", Data: []byte(text)}}, Options{Env: env})
	require.EqualError(t, err, `kong.yaml:1: _format_version: got a list, want 1.1 or 3.0
kong.yaml:2: plugins: got a string, want a list
kong.yaml:4: serviecs: unknown field, did you mean "services"?
kong.yaml:5: [redacted]: unknown field`)
}
