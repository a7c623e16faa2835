package envoy

import (
	"slices"
	"strings"
)

// unforwarded are request headers that no provider gets, beside [ReservedHeaders].
var unforwarded = slices.Concat(metadataKeys, []string{
	ClientIDHeader,
	// Envoy's, and those of proxies before it.
	"x-envoy-external-address", "x-envoy-expected-rq-timeout-ms", "x-envoy-internal", FinalHeader, SchemeHeader,
	"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix",
	"x-forwarded-user", "x-forwarded-email", "x-forwarded-groups", "x-forwarded-preferred-username", "forwarded", "x-real-ip",
	// Servers take these for the method and the path, in the place of ours.
	"x-http-method-override", "x-http-method", "x-method-override", "x-original-method",
	"x-original-url", "x-original-uri", "x-rewrite-url",
})

// Unforwarded are request headers that no provider gets, [ReservedHeaders] among them.
func Unforwarded() []string { return slices.Concat(reservedHeaders, unforwarded) }

// Strips reports whether a request header, in lower case, is kept from providers because of
// its name alone, and is none that the hops need: it is called as those between the hops, or
// as one of [Unforwarded] with '_' for '-', which many servers read as the same name.
func Strips(name string) bool {
	plain := strings.ReplaceAll(name, "_", "-")
	if strings.HasPrefix(plain, "x-semlb-") {
		return name != ClientIDHeader && !IsInternal(name)
	}
	return plain != name && (slices.Contains(reservedHeaders, plain) || slices.Contains(unforwarded, plain))
}
