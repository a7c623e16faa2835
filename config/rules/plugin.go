// Package rules checks what the fields of a plugin, a route or a consumer require of one
// another, and texts that have a grammar of their own. What each field may hold by itself
// is the schema's to check.
package rules

import (
	"fmt"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
	"semlb/wire"
)

// checker reports what is against a rule.
type checker struct{ *report.Report }

// need reports a missing value. The reason completes "want a value".
func (c checker) need(value tree.Cursor, reason string) {
	if !value.Exists() {
		c.Want(value.Pos, value.Path, "nothing", "a value "+reason)
	}
}

// want reports a value that is there.
func (c checker) want(value tree.Cursor, want string) {
	c.Want(value.Pos, value.Path, schema.Show(value.Node), want)
}

// shown returns a value for the fault of another one. That of a reference is not shown, and
// none that may be a password.
func shown(value tree.Cursor) string {
	if value.Node.Hidden || report.MayBePassword(value.Node.Text) {
		return report.Redacted
	}
	return value.Node.Text
}

// together reports each name that is missing while another one is there.
func (c checker) together(object tree.Cursor, names ...string) {
	i := slices.IndexFunc(names, func(name string) bool { return object.At(name).Exists() })
	if i < 0 {
		return
	}
	for _, name := range names {
		c.need(object.At(name), "with "+names[i])
	}
}

// Plugin checks the entry of a plugin.
func Plugin(r *report.Report, plugin tree.Cursor) {
	c, settings := checker{r}, plugin.At("config")
	c.semanticNeeds(settings)
	c.threshold(settings.At("vectordb"))
	c.redisServer(settings.At("vectordb"))
	c.nativeFormat(settings)
	c.partialOrInline(plugin)
	c.auth(settings.At("embeddings", "auth"))
	c.upstreamURL(settings.At("embeddings", "model", "options", "upstream_url"))
	for _, target := range settings.At("targets").Items() {
		c.target(target)
	}
	c.clientProtocols(plugin.At("protocols"))
}

// semanticNeeds: algorithm semantic compares descriptions by their vectors.
func (c checker) semanticNeeds(settings tree.Cursor) {
	if !settings.At("balancer", "algorithm").Is(string(config.Semantic)) {
		return
	}
	const reason = "with algorithm semantic"
	c.need(settings.At("embeddings"), reason)
	c.need(settings.At("vectordb"), reason)
	for _, target := range settings.At("targets").Items() {
		c.need(target.At("description"), reason)
	}
}

// largestDistances are those that vectors can have, by distance_metric.
var largestDistances = map[string]float64{"cosine": 2, "euclidean": 1}

// threshold: one that every distance is within is none.
func (c checker) threshold(vectordb tree.Cursor) {
	metric, threshold := vectordb.At("distance_metric"), vectordb.At("threshold")
	limit, known := largestDistances[metric.Node.Str()]
	if !known || !threshold.Exists() {
		return
	}
	if value, ok := threshold.Node.Number(); ok && value > limit {
		c.Warn(threshold.Pos, threshold.Path, fmt.Sprintf("every prompt is within it: distances by %s are at most %g", shown(metric), limit))
	}
}

// redisServer: the search module indexes database 0 only, and the plugin logs in with
// a password, or not at all.
func (c checker) redisServer(vectordb tree.Cursor) {
	redis := vectordb.At("redis")
	if database := redis.At("database"); database.Exists() && vectordb.At("search").Is(string(config.SearchStore)) {
		number := &schema.Field{Kind: tree.Int}
		if n, ok := number.Number(database.Node); ok && n != 0 {
			c.want(database, "0 with search store: Redis indexes no other database")
		}
	}
	if username := redis.At("username"); username.Exists() && !redis.At("password").Exists() {
		c.Warn(username.Pos, username.Path, "is not used without a password")
	}
}

// nativeFormat: a provider's own request format reaches that provider only, and
// for bedrock and gemini only as chat.
func (c checker) nativeFormat(settings tree.Cursor) {
	format := settings.At("llm_format").Node.Str()
	if format == "" || format == "openai" {
		return
	}
	name := shown(settings.At("llm_format"))
	for _, target := range settings.At("targets").Items() {
		if p := target.At("model", "provider"); p.Exists() && !p.Is(format) {
			c.want(p, name+" with llm_format "+name)
		}
		route := target.At("route_type")
		if (format == "bedrock" || format == "gemini") && route.Exists() && !route.Is(string(config.Chat)) {
			c.want(route, string(config.Chat)+" with llm_format "+name)
		}
	}
}

// partialOrInline: a block is either written out or linked, not both.
func (c checker) partialOrInline(plugin tree.Cursor) {
	for _, partial := range plugin.At("partials").Items() {
		path := partial.At("path").Node.Str()
		if path == "" {
			continue
		}
		if block := plugin.At(strings.Split(path, ".")...); block.Exists() {
			c.Problem(block.Pos, block.Path, "got a block that a partial sets too")
		}
	}
}

// clientProtocols: all of HTTP is served, so that no protocol can be left out.
func (c checker) clientProtocols(protocols tree.Cursor) {
	if len(protocols.Items()) == 0 {
		return
	}
	var http, https bool
	for _, item := range protocols.Items() {
		http, https = http || item.Is("http"), https || item.Is("https")
	}
	if !http || !https {
		c.Problem(protocols.Pos, protocols.Path, "not supported yet: a list without both http and https")
	}
}

// auth: a header has a name and a value, and a parameter a location too.
func (c checker) auth(auth tree.Cursor) {
	c.together(auth, "header_name", "header_value")
	if name := auth.At("header_name"); name.Node.Str() != "" && !wire.ValidHeaderName(name.Node.Text) {
		c.Want(name.Pos, name.Path, "a string "+report.Redacted, "a header's name")
	}
	if value := auth.At("header_value"); !wire.ValidHeaderValue(value.Node.Str()) {
		c.Want(value.Pos, value.Path, "a string "+report.Redacted+" with a control character", "a header's value")
	}
	c.together(auth, "param_name", "param_value", "param_location")
	for _, name := range []string{"header_value", "param_value"} {
		if value := auth.At(name); strings.Contains(value.Node.Str(), "{{") {
			c.Warn(value.Pos, value.Path, "the braces are a part of the credential: a template of decK begins with ${{")
		}
	}
}
