package placeholder_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/placeholder"
)

func TestEveryPlaceholderIsReplacedByItsReference(t *testing.T) {
	var s placeholder.Set
	key := s.Variable("DECK_KEY")
	template := s.Add(placeholder.Placeholder{Variable: "DECK_N", Template: `${{ env "DECK_N" | toInt }}`})
	text := "Bearer " + key + template + "."
	require.True(t, placeholder.In(text))
	require.Equal(t, `Bearer ${{ env "DECK_KEY" }}${{ env "DECK_N" | toInt }}.`, s.Replace(text, placeholder.Placeholder.Deck))
	require.Equal(t, "Bearer $KEY$N.", s.Replace(text, placeholder.Placeholder.Dollar))
	require.Equal(t, "no placeholder", s.Replace("no placeholder", placeholder.Placeholder.Dollar))
}

func TestTextThatOnlyLooksLikeAPlaceholderStays(t *testing.T) {
	var s, other placeholder.Set
	text := other.Variable("A")
	require.Equal(t, text, s.Replace(text, placeholder.Placeholder.Dollar), "of another conversion")
	require.True(t, placeholder.Reserved([]byte(text)))
	require.False(t, placeholder.Reserved([]byte("plain")))
}

func TestExposedPlaceholdersAreThoseOutsideOfSecrets(t *testing.T) {
	var s placeholder.Set
	secret, port := s.Variable("SECRET"), s.Variable("PORT")
	s.Expose(port, true)
	require.NotEqual(t, secret, port)
	require.Equal(t, []placeholder.Placeholder{{Variable: "SECRET"}, {Variable: "PORT", Exposed: true, Typed: true}}, s.All())
}

func TestOnlyAVariableByItselfIsDirect(t *testing.T) {
	for template, direct := range map[string]bool{
		"": true, `${{ env "DECK_A" }}`: true, "${{env `DECK_A`}}": true,
		`${{ env "DECK_A" | toInt }}`: false, `${{ printf "%s" (env "DECK_A") }}`: false,
	} {
		require.Equal(t, direct, placeholder.Placeholder{Variable: "DECK_A", Template: template}.Direct(), template)
	}
}
