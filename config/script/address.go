package script

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/script/shell"
)

// maxPathPieces bounds what an address is made of.
const maxPathPieces = 100

// unread stands in an address for what only a shell knows.
const unread = "\x00"

// addressParts are what an address is made of.
type addressParts struct {
	host string
	// parts are those of the path, behind the workspace and what Konnect has before entities.
	parts []string
	// filled is set where the path has values of variables.
	filled bool
}

// path takes an address apart. It returns false where that is a fault.
func (s curlReader) path(pos config.Position, address shell.Word) (a addressParts, ok bool) {
	text, filled := s.address(pos, address)
	a.filled = filled
	a.host, text, _ = strings.Cut(withoutScheme(text), "/")
	text, _, _ = strings.Cut(text, "?")
	if _, rest, ok := strings.Cut(text, "core-entities/"); ok {
		text = rest
	}
	a.parts = strings.Split(strings.Trim(text, "/"), "/")
	if !s.inWorkspace(pos, &a) {
		return a, false
	}
	if !(request{parts: a.parts}).isRead() {
		return a, true
	}
	s.hosts[a.host] = true
	for i, part := range a.parts {
		plain, err := url.PathUnescape(part)
		if err != nil || plain == "" || strings.Contains(plain, unread) || strings.ContainsAny(part, globbing) || hasParameter(address) {
			s.Problem(pos, "", "got a URL that is not a path of the Admin API")
			return a, false
		}
		a.parts[i] = plain
	}
	return a, true
}

// globbing are the characters of which a shell and curl make several addresses.
const globbing = "{}[]"

// parameter matches the parameters of functions and of the script, such as $1, and
// onlyParameter a word that is nothing else.
var (
	parameter     = regexp.MustCompile(`\$\{?[0-9@*#]`)
	onlyParameter = regexp.MustCompile(`^\$\{?[0-9@*#]\}?$`)
)

// hasParameter reports whether only a shell knows what an address is.
func hasParameter(address shell.Word) bool {
	return slices.ContainsFunc(address.Pieces, func(p shell.Piece) bool { return parameter.MatchString(p.Text) })
}

// inWorkspace takes the workspace from before a path that is read, such as
// /default/services, and reports whether all requests of the script are in one.
func (s curlReader) inWorkspace(pos config.Position, a *addressParts) bool {
	workspace := "default"
	if rest := a.parts[1:]; !(request{parts: a.parts}).isRead() {
		if len(rest) == 0 || !(request{parts: rest}).isRead() || a.parts[0] != workspace && s.hosts.isForeign(a.host) {
			return true // it is no request to the Admin API
		}
		workspace, a.parts = a.parts[0], rest
	}
	if s.workspace != "" && s.workspace != workspace {
		s.Problem(pos, "", "not supported yet: requests for several workspaces")
		return false
	}
	s.workspace = workspace
	return true
}

// address returns the text of an address. Names that the reader of an example has to
// replace are warned of where they name an entity. Variables of the host may be unknown.
// One of too many pieces is empty.
func (s curlReader) address(pos config.Position, address shell.Word) (text string, filled bool) {
	if len(address.Pieces) > maxPathPieces {
		return "", false
	}
	for _, p := range address.Pieces {
		inPath := strings.HasSuffix(p.Text, "Id") && !strings.Contains(text, "control-planes") || strings.Contains(text, "core-entities")
		switch {
		case p.Placeholder && inPath:
			s.Warn(pos, "", "replace {"+report.Shorten(p.Text)+"} by a name or an id")
			text += url.PathEscape(p.Text)
		case p.Variable != "":
			value, inPath := s.addressVariable(p, text)
			text, filled = text+value, filled || inPath
		case p.Unread:
			text += unread
		default:
			text += p.Text
		}
	}
	return text, filled
}

// addressVariable returns the value of a variable behind a text of an address, and
// whether the value is part of the path. That of the host may be unknown.
func (s curlReader) addressVariable(p shell.Piece, before string) (text string, inPath bool) {
	value, known := s.value(p)
	inPath = strings.Contains(withoutScheme(before), "/")
	switch {
	case known:
		return value, inPath || strings.Contains(withoutScheme(value), "/")
	case inPath && (!s.Converting() || s.unknown[p.Variable]):
		value, _ = s.variable(p) // a fault, unless variables may be unset
		return value, false
	default:
		return p.Text, false
	}
}

func withoutScheme(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		return rest
	}
	return address
}
