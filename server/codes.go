package server

import (
	"slices"

	"semlb/provider"
	"semlb/router"
)

// The codes of what semlb answers itself, beside those of wrong requests that
// provider finds and the reasons of plans without targets.
const (
	codeNoPlugin      = "no_plugin"
	codeNoConsumer    = "no_consumer"
	codeModels        = "models" // which is no error
	codeNoBody        = "no_body"
	codeEncoding      = "unsupported_encoding"
	codeTooLarge      = "request_too_large"
	codeHeaders       = "headers_too_large"
	codeModel         = "model_not_allowed"
	codeClientGone    = "client_gone"
	codeOverloaded    = "overloaded"
	codePlanLost      = "plan_lost"
	codeRewriteFailed = "rewrite_failed"
	codeInternalError = "internal_error"
)

// answerCodes are all codes that an answer can have.
func answerCodes() []string {
	return slices.Concat(provider.Codes(), []string{
		string(router.AllOut), string(router.NoMatch),
		codeNoPlugin, codeNoConsumer, codeModels, codeNoBody, codeEncoding, codeTooLarge, codeHeaders, codeModel,
		codeClientGone, codeOverloaded, codePlanLost, codeRewriteFailed, codeInternalError,
	})
}
