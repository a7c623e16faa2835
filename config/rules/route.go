package rules

import (
	"errors"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"semlb/config/report"
	"semlb/config/tree"
	"semlb/wire"
)

var (
	portSuffix = regexp.MustCompile(`:[0-9]{1,5}$`)
	hostLabels = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	plainPath  = regexp.MustCompile(`^([A-Za-z0-9/._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+$`)
	methodName = regexp.MustCompile(`^[A-Z]+$`)
	// redirectStatuses are what plain HTTP can be answered.
	redirectStatuses = []int64{301, 302, 307, 308, 426}
)

// Route checks a route, so that Envoy accepts all of it and each part can match a
// request.
func Route(r *report.Report, route tree.Cursor) {
	c := checker{r}
	each(route.At("hosts"), c.host)
	each(route.At("paths"), c.path)
	each(route.At("methods"), c.method)
	c.headers(route.At("headers"))
	c.redirect(route.At("https_redirect_status_code"))
}

// each holds those elements of a list that are known against a rule.
func each(list tree.Cursor, rule func(tree.Cursor)) {
	for _, item := range list.Items() {
		if item.Known() {
			rule(item)
		}
	}
}

func (c checker) redirect(status tree.Cursor) {
	if !status.Exists() {
		return
	}
	if value, ok := status.Node.Int(); ok && !slices.Contains(redirectStatuses, value) {
		c.want(status, "301, 302, 307, 308 or 426")
	}
}

// host: a name or an address, with or without a port. The leftmost or the rightmost
// label of a name may be a wildcard.
func (c checker) host(host tree.Cursor) {
	name := portSuffix.ReplaceAllString(host.Node.Text, "")
	labels := strings.TrimSuffix(strings.TrimPrefix(name, "*."), ".*")
	named := hostLabels.MatchString(labels) && strings.Count(name, "*") <= 1
	if !named && !bracketed(name) {
		c.want(host, `a host, with "*" as its leftmost or rightmost label at most`)
	}
}

// bracketed reports whether a host is an IPv6 address as URLs have it.
func bracketed(host string) bool {
	inner, open := strings.CutPrefix(host, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	address, err := netip.ParseAddr(inner)
	return open && closed && err == nil && address.Is6()
}

// path: a prefix as RFC 3986 defines paths, or a regular expression behind "~".
func (c checker) path(path tree.Cursor) {
	pattern, isRegex := strings.CutPrefix(path.Node.Text, "~")
	switch {
	case !strings.HasPrefix(pattern, "/"):
		c.want(path, `"/" or "~/" at its start`)
	case isRegex:
		c.pattern(path, pattern)
	case !plainPath.MatchString(pattern):
		c.want(path, `a path of RFC 3986, or "~/" in front of a regular expression`)
	default:
		if _, ok := wire.NormalPath(pattern); !ok {
			c.want(path, `a path that requests can have: no encoded backslash or control character, and no "..;"`)
		}
	}
}

func (c checker) method(method tree.Cursor) {
	if !methodName.MatchString(method.Node.Text) {
		c.want(method, "a method in capital letters")
	}
}

// headers: values behind "~*" are regular expressions.
func (c checker) headers(headers tree.Cursor) {
	if !headers.Exists() {
		return
	}
	for _, f := range headers.Node.Fields {
		path := report.Join(headers.Path, f.Shown())
		switch {
		case strings.EqualFold(f.Name, "host"):
			c.Problem(f.Pos, path, "got the header host, want the field hosts")
		case !wire.ValidHeaderName(f.Name):
			c.Problem(f.Pos, path, "got an invalid header name")
		}
		each(tree.NewCursor(path, f.Value), func(value tree.Cursor) {
			if pattern, isRegex := strings.CutPrefix(value.Node.Text, "~*"); isRegex {
				c.pattern(value, pattern)
			}
		})
	}
}

// maxSteps bounds the steps and the ranges of characters that a regular expression
// compiles to. It is far below what RE2 refuses as too large.
const maxSteps = 10_000

// pattern: a regular expression as Go and Envoy's RE2 have them, which is Kong's own
// dialect without what needs backtracking.
func (c checker) pattern(value tree.Cursor, pattern string) {
	size, err := patternSize(pattern)
	var wrong *syntax.Error
	switch {
	case errors.As(err, &wrong):
		c.want(value, "a regular expression of RE2: "+string(wrong.Code))
	case err != nil || size > maxSteps:
		c.want(value, "a regular expression that compiles to at most "+strconv.Itoa(maxSteps)+" steps")
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
