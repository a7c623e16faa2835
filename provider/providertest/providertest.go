// Package providertest is the contract that every dialect passes. It also prepares
// targets for the tests of other packages.
package providertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/provider/dialects"
)

// NewTarget prepares a target of valid settings as the program does. Its route type
// is llm/v1/chat if the settings name none.
func NewTarget(t testing.TB, s provider.Settings) *provider.Target {
	t.Helper()
	if s.RouteType == "" {
		s.RouteType = string(provider.Chat)
	}
	target, err := dialects.NewTarget(s)
	require.NoError(t, err)
	return target
}

// Dialect describes a dialect to its contract.
type Dialect struct {
	// Prepare makes the dialect of a target.
	Prepare func(provider.Settings) (provider.Dialect, error)
	// Targets use everything that the dialect can do: its providers, route types,
	// options and kinds of credentials. Each has an ID that says which, and secrets
	// of its own. The contract fills in their Credentials.
	Targets []provider.Settings
	// Answers are answers of the provider, at least one of which streams.
	Answers []Answer
	// Errors are answers with an error status. They are needed if the dialect
	// translates.
	Errors []Error
}

// Answer is an answer of a provider, and what becomes of it.
type Answer struct {
	Name      string
	Streaming bool
	Body      string         // as the provider writes it
	Client    string         // as the client gets it, if the dialect translates
	Usage     provider.Usage // for a prompt of [PromptWords] words
}

func (a Answer) known() provider.Answer {
	return provider.Answer{Streaming: a.Streaming, PromptWords: PromptWords}
}

// Error is an answer with an error status, and what becomes of its body.
type Error struct {
	Status       int
	Body, Client string
}

// PromptWords is the number of words of the prompt that the answers are for.
const PromptWords = 5

// Run checks the whole contract. What requests become is compared with
// testdata/requests.golden; UPDATE_GOLDEN=1 writes that file.
func Run(t *testing.T, d Dialect) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { c.check(t, newSubject(t, d)) })
	}
}

// check is one clause of the contract.
type check struct {
	name  string
	check func(testing.TB, *subject)
}

var checks = []check{
	{"requests are those of the golden file", checkGolden},
	{"requests are well formed", checkForm},
	{"requests differ from the client's in their fields only", checkFields},
	{"the client's body is not changed", checkInput},
	{"errors are the client's and hold nothing of the request", checkErrors},
	{"a later attempt sends what a first one would", checkAttempts},
	{"no credential reaches another target", checkCredentials},
	{"a meter does not depend on how an answer is cut", checkMeters},
	{"a meter is bounded and takes anything", checkMeterLimits},
	{"a translator does not depend on how an answer is cut", checkTranslators},
	{"errors are translated", checkErrorBodies},
}

// subject is a dialect with its targets prepared.
type subject struct {
	Dialect
	targets []*provider.Target // of the settings of the same index
}

func newSubject(t testing.TB, d Dialect) *subject {
	t.Helper()
	require.NotEmpty(t, d.Targets)
	auths := make([]provider.Auth, len(d.Targets))
	for i := range d.Targets {
		auths[i] = d.Targets[i].Auth
	}
	s := &subject{Dialect: d}
	s.Targets = append([]provider.Settings(nil), d.Targets...)
	for i := range s.Targets {
		settings := &s.Targets[i]
		settings.Credentials = provider.CollectCredentials(auths...)
		if settings.RouteType == "" {
			settings.RouteType = string(provider.Chat)
		}
		target, err := provider.New(*settings, d.Prepare)
		require.NoError(t, err)
		s.targets = append(s.targets, target)
	}
	return s
}

// translates reports whether the dialect's answers are not in the client's format.
func (s *subject) translates() bool { return s.targets[0].Translator(provider.Answer{}) != nil }
