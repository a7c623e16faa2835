package parts

import (
	mutationrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	earlyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"semlb/envoy"
)

// Names of headers by which Envoys talk to each other, and of these and those of our hops,
// whether this Envoy and semlb know them or not. Neither a client nor a provider may send
// one. Many servers read '_' as '-'.
const (
	namesOfEnvoy = `x[-_]envoy[-_].*`
	ownNames     = `x[-_](?:envoy|semlb)[-_].*`
)

// withoutOwnNames removes what a client has named like headers of Envoy or of the hops,
// before anything reads it.
func withoutOwnNames() *corev3.TypedExtensionConfig {
	return early(removeMatching(ownNames))
}

// withoutEnvoys removes Envoy's headers from an attempt, except the number of the attempt: a
// listener that is not ours may have let them through, and no provider gets them.
func withoutEnvoys() *corev3.TypedExtensionConfig {
	const kept = "x-semlb-attempt"
	return early(
		set(kept, "%REQ("+envoy.HeaderAttempt+")%"),
		removeMatching(namesOfEnvoy),
		set(envoy.HeaderAttempt, "%REQ("+kept+")%"),
		remove(kept),
	)
}

// earlyMutation names the extension that changes a request before Envoy does.
const earlyMutation = "envoy.http.early_header_mutation.header_mutation"

func early(mutations ...*mutationrulesv3.HeaderMutation) *corev3.TypedExtensionConfig {
	return extension(earlyMutation, &earlyv3.HeaderMutation{Mutations: mutations})
}

func remove(name string) *mutationrulesv3.HeaderMutation {
	return &mutationrulesv3.HeaderMutation{Action: &mutationrulesv3.HeaderMutation_Remove{Remove: name}}
}

// removeMatching removes the headers whose whole names, in lower case, match a pattern.
func removeMatching(pattern string) *mutationrulesv3.HeaderMutation {
	return &mutationrulesv3.HeaderMutation{Action: &mutationrulesv3.HeaderMutation_RemoveOnMatch_{
		RemoveOnMatch: &mutationrulesv3.HeaderMutation_RemoveOnMatch{KeyMatcher: &matcherv3.StringMatcher{
			MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: pattern}},
		}},
	}}
}

func set(name, value string) *mutationrulesv3.HeaderMutation {
	return &mutationrulesv3.HeaderMutation{Action: &mutationrulesv3.HeaderMutation_Append{Append: setHeader(name, value)}}
}
