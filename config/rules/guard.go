package rules

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
	"semlb/wire"
)

// ofConsumers are the plugins that guard and may be bound to consumers: the others find
// out who the consumer is, or do not depend on it.
var ofConsumers = []string{"ip-restriction", "request-size-limiting", "request-termination"}

// guardChecker reports what is against a rule for plugins that guard.
type guardChecker struct{ checker }

// Guard checks the entry of a plugin that guards.
func Guard(r *report.Report, plugin string, entry tree.Cursor) {
	c, settings := guardChecker{checker{r}}, entry.At("config")
	c.clientProtocols(entry.At("protocols"))
	for _, kind := range []string{config.KindConsumer, config.KindConsumerGroup} {
		if to := entry.At(kind); to.Exists() && !slices.Contains(ofConsumers, plugin) {
			c.Problem(to.Pos, to.Path, "got a scope that %s does not have", plugin)
		}
	}
	c.realm(settings.At("realm"))
	switch plugin {
	case "key-auth":
		c.keyAuth(settings)
	case "basic-auth":
		c.bruteForce(settings.At("brute_force_protection", "strategy"))
	case "jwt":
		c.tokens(settings)
	case "acl":
		c.lists(entry, true)
	case "ip-restriction":
		c.lists(entry, false)
		each(settings.At("allow"), c.network)
		each(settings.At("deny"), c.network)
	case "request-termination":
		c.termination(settings)
	case "cors":
		c.cors(settings)
	}
}

// realm: a part of a header's value, in quotes.
func (c guardChecker) realm(realm tree.Cursor) {
	if realm.Known() && (!wire.ValidHeaderValue(realm.Node.Text) || strings.ContainsAny(realm.Node.Text, `"\`)) {
		c.want(realm, "a realm without quotes and control characters")
	}
}

// keyAuth: keys are somewhere.
func (c guardChecker) keyAuth(settings tree.Cursor) {
	each(settings.At("key_names"), c.headerName)
	if isFalse(settings.At("key_in_header")) && isFalse(settings.At("key_in_query")) {
		c.Problem(settings.Pos, settings.Path, "got keys neither in headers nor in the query")
	}
	for _, realm := range settings.At("identity_realms").Items() {
		if scope := realm.At("scope"); !scope.Is("cp") {
			c.Problem(realm.Pos, realm.Path, "not supported yet: consumers of another realm than the control plane")
		}
	}
}

// isFalse reports whether a value is there and false.
func isFalse(value tree.Cursor) bool {
	b, ok := value.Node.Bool()
	return ok && !b
}

func (c guardChecker) headerName(name tree.Cursor) {
	if !wire.ValidHeaderName(name.Node.Text) {
		c.want(name, "a header's name")
	}
}

func (c guardChecker) bruteForce(strategy tree.Cursor) {
	if strategy.Exists() && !strategy.Is("off") {
		c.Problem(strategy.Pos, strategy.Path, "not supported yet: a limit of wrong passwords")
	}
}

// tokens: where they are, and what of them is verified.
func (c guardChecker) tokens(settings tree.Cursor) {
	each(settings.At("header_names"), c.headerName)
	maximum := settings.At("maximum_expiration")
	if seconds, ok := maximum.Node.Number(); maximum.Exists() && ok && seconds > 0 &&
		!slices.ContainsFunc(settings.At("claims_to_verify").Items(), func(claim tree.Cursor) bool { return claim.Is("exp") }) {
		c.Problem(maximum.Pos, maximum.Path, "got a value, want exp in claims_to_verify with it")
	}
}

// lists: something is allowed or denied and, where only one is, not both.
func (c guardChecker) lists(entry tree.Cursor, onlyOne bool) {
	settings := entry.At("config")
	allow, deny := settings.At("allow"), settings.At("deny")
	allows, denies := !allow.Node.Empty(), !deny.Node.Empty()
	switch {
	case !allows && !denies:
		c.Want(settings.Pos, settings.Path, "neither allow nor deny", "one of them")
	case allows && denies && onlyOne:
		c.Problem(deny.Pos, deny.Path, "got allow and deny, want one of them")
	}
}

// network: an address, or a network as CIDR has it.
func (c guardChecker) network(value tree.Cursor) {
	_, addressError := netip.ParseAddr(value.Node.Text)
	_, networkError := netip.ParsePrefix(value.Node.Text)
	if addressError != nil && networkError != nil {
		c.want(value, "an IP address or a network such as 10.0.0.0/8")
	}
}

// termination: an answer has a message, or a body.
func (c guardChecker) termination(settings tree.Cursor) {
	message, body, content := settings.At("message"), settings.At("body"), settings.At("content_type")
	if status, ok := settings.At("status_code").Node.Int(); ok && status < 200 {
		c.want(settings.At("status_code"), "200 to 599: an answer is final")
	}
	if message.Exists() && (body.Exists() || content.Exists()) {
		c.Problem(message.Pos, message.Path, "got a message and a body or its content_type, want one of them")
	}
	if content.Exists() {
		c.need(body, "with content_type")
		if content.Known() && !wire.ValidHeaderValue(content.Node.Text) {
			c.want(content, "a media type")
		}
	}
	if trigger := settings.At("trigger"); trigger.Known() {
		c.headerName(trigger)
	}
}

// flatOrigin matches what is an origin, or its host, and no regular expression.
var flatOrigin = regexp.MustCompile(`^[A-Za-z0-9.:/-]+$`)

// cors: origins as they are, or regular expressions.
func (c guardChecker) cors(settings tree.Cursor) {
	each(settings.At("origins"), func(origin tree.Cursor) {
		if text := origin.Node.Text; text != "*" && !flatOrigin.MatchString(text) {
			c.pattern(origin, text)
		}
	})
	for _, list := range []string{"headers", "exposed_headers"} {
		each(settings.At(list), func(name tree.Cursor) {
			if name.Node.Text != "*" {
				c.headerName(name)
			}
		})
	}
}
