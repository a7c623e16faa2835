package config

import (
	"errors"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
)

// routeRules checks what a route asks for, so that Envoy takes all of it and each can
// match something.
func (c *checker) routeRules(route place) {
	each(route.at("hosts"), c.routeHost)
	each(route.at("paths"), c.routePath)
	each(route.at("methods"), c.routeMethod)
	c.routeHeaders(route.at("headers"))
	c.routeRedirect(route.at("https_redirect_status_code"))
}

// each holds the elements of a list that are known against a rule.
func each(list place, rule func(place)) {
	for _, item := range list.items() {
		if item.known() {
			rule(item)
		}
	}
}

// routeRedirect: what plain HTTP can be answered.
func (c *checker) routeRedirect(status place) {
	if !status.set() {
		return
	}
	allowed := []int64{301, 302, 307, 308, 426}
	if value, ok := status.n.integer(); ok && !slices.Contains(allowed, value) {
		c.want(status.pos, status.path, shown(&spec{kind: kindInt}, status.n), "301, 302, 307, 308 or 426")
	}
}

// known reports whether a value is a string that is there: a variable without a value
// or, in a conversion, one whose value is not looked up, is not.
func (p place) known() bool {
	return p.n != nil && p.n.kind == kindString && !p.n.broken && p.n.text != "" && !strings.Contains(p.n.text, symbolOpen)
}

// routeHost: a name or an address, with a port or not. The leftmost or the rightmost
// label of a name may be a wildcard.
func (c *checker) routeHost(host place) {
	name := regexp.MustCompile(`:[0-9]{1,5}$`).ReplaceAllString(host.n.text, "")
	labels := strings.TrimSuffix(strings.TrimPrefix(name, "*."), ".*")
	plain := regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`).MatchString(labels)
	if wildcards := strings.Count(name, "*"); plain && wildcards <= 1 || bracketed(name) {
		return
	}
	c.want(host.pos, host.path, shown(&spec{kind: kindString}, host.n), `a host, with "*" as its leftmost or rightmost label at most`)
}

// bracketed reports whether a host is an IPv6 address as URLs have it.
func bracketed(host string) bool {
	inner, open := strings.CutPrefix(host, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	address, err := netip.ParseAddr(inner)
	return open && closed && err == nil && address.Is6()
}

// routePath: a prefix of RFC 3986, or a regular expression behind "~".
func (c *checker) routePath(path place) {
	pattern, isRegex := strings.CutPrefix(path.n.text, "~")
	got := shown(&spec{kind: kindString}, path.n)
	switch {
	case !strings.HasPrefix(pattern, "/"):
		c.want(path.pos, path.path, got, `"/" or "~/" at its start`)
	case isRegex:
		c.pattern(path, pattern)
	case !regexp.MustCompile(`^([A-Za-z0-9/._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+$`).MatchString(pattern):
		c.want(path.pos, path.path, got, `a path of RFC 3986, or "~/" in front of a regular expression`)
	}
}

func (c *checker) routeMethod(method place) {
	if !regexp.MustCompile(`^[A-Z]+$`).MatchString(method.n.text) {
		c.want(method.pos, method.path, shown(&spec{kind: kindString}, method.n), "a method in capital letters")
	}
}

// routeHeaders: values behind "~*" are regular expressions.
func (c *checker) routeHeaders(headers place) {
	if !headers.set() {
		return
	}
	for _, f := range headers.n.fields {
		path := join(headers.path, fieldName(&spec{}, f))
		switch {
		case strings.EqualFold(f.name, "host"):
			c.problem(f.pos, path, "got the header host, want the field hosts")
		case f.name == "" || !headerName(f.name):
			c.problem(f.pos, path, "got a name that no header can have")
		}
		values := place{path: path, n: f.value, pos: f.value.pos}
		each(values, func(value place) {
			if pattern, isRegex := strings.CutPrefix(value.n.text, "~*"); isRegex {
				c.pattern(value, pattern)
			}
		})
	}
}

// maxPattern bounds what a regular expression compiles to, in steps and ranges of
// characters. It is far from what RE2 refuses as too large.
const maxPattern = 10_000

// pattern: a regular expression as Go and Envoy's RE2 have them, which is Kong's own
// dialect too, but for what backtracks.
func (c *checker) pattern(p place, pattern string) {
	got := shown(&spec{kind: kindString}, p.n)
	size, err := patternSize(pattern)
	var wrong *syntax.Error
	switch {
	case errors.As(err, &wrong):
		c.want(p.pos, p.path, got, "a regular expression of RE2: "+string(wrong.Code))
	case err != nil || size > maxPattern:
		c.want(p.pos, p.path, got, "a regular expression that compiles to at most "+strconv.Itoa(maxPattern)+" steps")
	}
}

func patternSize(pattern string) (int, error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0, err
	}
	size := 0
	for _, step := range program.Inst {
		size += 1 + len(step.Rune)
	}
	return size, nil
}
