package server

import (
	"slices"

	"semlb/access"
	"semlb/envoy"
	"semlb/provider"
	"semlb/record/metrics"
	"semlb/router"
)

// The codes of what semlb answers itself, beside those of bad requests that provider
// finds and the reasons of plans without targets.
const (
	codeNoPlugin      = "no_plugin"
	codeNoConsumer    = "no_consumer"
	codeModels        = "models" // which is no error
	codeModelNotFound = "model_not_found"
	codeNoBody        = "no_body"
	codeEncoding      = "unsupported_encoding"
	codeMethod        = "method_not_allowed"
	codePath          = "invalid_path"
	codeDuplicate     = "duplicate_header"
	codeHeaders       = "headers_too_large"
	codeModel         = "model_not_allowed"
	codeClientGone    = "client_gone"
	codeOverloaded    = "overloaded"
	codePlanLost      = "plan_lost"
	codeRewriteFailed = "rewrite_failed"
	codeInternalError = "internal_error"
)

// Codes are all codes that an answer of semlb can have, for metrics that start at zero.
func Codes() []string {
	return slices.Concat(provider.Codes(), access.Codes(), []string{
		string(router.AllOut), string(router.NoMatch),
		codeNoPlugin, codeNoConsumer, codeModels, codeModelNotFound, codeNoBody, codeEncoding, codeMethod, codePath, codeDuplicate, codeHeaders, codeModel,
		codeClientGone, codeOverloaded, envoy.UpstreamUnavailable().Code, codePlanLost, codeRewriteFailed, codeInternalError,
	})
}

// Labels are the closed sets of what the server records, for a sink that counts.
func Labels() metrics.Labels {
	return metrics.Labels{
		Reasons: texts(router.Reasons()), Codes: Codes(), EnvoyCodes: envoy.OwnAnswers(),
		Results: texts(router.Results()), Answered: string(router.Answered), Cut: "cut",
		Unread: []string{unreadEncoding, unreadInvalid, unreadLength},
	}
}

func texts[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}
