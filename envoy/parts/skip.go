package parts

import (
	"strings"

	xdscorev3 "github.com/cncf/xds/go/xds/core/v3"
	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	matchingv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/common/matching/v3"
	actionv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/matcher/action/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	typematcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
)

type predicate = xdsmatcherv3.Matcher_MatcherList_Predicate

// onlyIf is a filter that is skipped unless a predicate matches.
func onlyIf(name string, filter proto.Message, p *predicate) *hcmv3.HttpFilter {
	return skipIf(name, filter, not(p))
}

func not(p *predicate) *predicate {
	return &predicate{MatchType: &xdsmatcherv3.Matcher_MatcherList_Predicate_NotMatcher{NotMatcher: p}}
}

// skipIf is a filter that is skipped if a predicate matches.
func skipIf(name string, filter proto.Message, p *predicate) *hcmv3.HttpFilter {
	return httpFilter("semlb."+name[strings.LastIndex(name, ".")+1:], &matchingv3.ExtensionWithMatcher{
		ExtensionConfig: extension(name, filter),
		XdsMatcher:      onMatch(p, xdsExtension("skip", &actionv3.SkipFilter{})),
	})
}

// onMatch takes an action if a predicate matches.
func onMatch(p *predicate, action *xdscorev3.TypedExtensionConfig) *xdsmatcherv3.Matcher {
	return &xdsmatcherv3.Matcher{MatcherType: &xdsmatcherv3.Matcher_MatcherList_{
		MatcherList: &xdsmatcherv3.Matcher_MatcherList{
			Matchers: []*xdsmatcherv3.Matcher_MatcherList_FieldMatcher{{
				Predicate: p,
				OnMatch:   &xdsmatcherv3.Matcher_OnMatch{OnMatch: &xdsmatcherv3.Matcher_OnMatch_Action{Action: action}},
			}},
		},
	}}
}

func matchesHeader(name, pattern string) *predicate {
	return matchesInput(xdsExtension(name, &typematcherv3.HttpRequestHeaderMatchInput{HeaderName: name}), pattern)
}

// matchesInput matches if the whole of an input matches a regular expression.
func matchesInput(input *xdscorev3.TypedExtensionConfig, pattern string) *predicate {
	return &predicate{MatchType: &xdsmatcherv3.Matcher_MatcherList_Predicate_SinglePredicate_{
		SinglePredicate: &xdsmatcherv3.Matcher_MatcherList_Predicate_SinglePredicate{
			Input: input,
			Matcher: &xdsmatcherv3.Matcher_MatcherList_Predicate_SinglePredicate_ValueMatch{
				ValueMatch: &xdsmatcherv3.StringMatcher{MatchPattern: &xdsmatcherv3.StringMatcher_SafeRegex{
					SafeRegex: &xdsmatcherv3.RegexMatcher{
						Regex:      pattern,
						EngineType: &xdsmatcherv3.RegexMatcher_GoogleRe2{GoogleRe2: &xdsmatcherv3.RegexMatcher_GoogleRE2{}},
					},
				}},
			},
		},
	}}
}

func allOf(predicates ...*predicate) *predicate {
	return &predicate{MatchType: &xdsmatcherv3.Matcher_MatcherList_Predicate_AndMatcher{
		AndMatcher: &xdsmatcherv3.Matcher_MatcherList_Predicate_PredicateList{Predicate: predicates},
	}}
}

func xdsExtension(name string, m proto.Message) *xdscorev3.TypedExtensionConfig {
	return &xdscorev3.TypedExtensionConfig{Name: name, TypedConfig: Typed(m)}
}
