package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"semlb/wire"
)

// template is a text with values of the client's request in it: $(headers.x),
// $(query_params.x) and $(uri_captures.x).
type template []part

// part is a literal, or the name of a value and its source.
type part struct{ literal, source, name string }

func literal(text string) template {
	if text == "" {
		return nil
	}
	return template{{literal: text}}
}

// parseTemplate reads a template. It refuses headers that hold credentials.
func parseTemplate(text string) (template, error) {
	var t template
	for {
		before, rest, ok := strings.Cut(text, "$(")
		if before != "" {
			t = append(t, part{literal: before})
		}
		if !ok {
			return t, nil
		}
		inside, after, closed := strings.Cut(rest, ")")
		source, name, _ := strings.Cut(strings.TrimSpace(inside), ".")
		if !closed || name == "" {
			return nil, errors.New("template is not of the form $(source.name)")
		}
		switch source {
		case "headers":
			name = strings.ToLower(name)
			if wire.IsCredentialHeader(name) {
				return nil, fmt.Errorf("template takes header %q, which holds a credential", name)
			}
		case "query_params", "uri_captures":
		default:
			return nil, fmt.Errorf("template source: got %q, want headers, query_params or uri_captures", source)
		}
		t = append(t, part{source: source, name: name})
		text = after
	}
}

// EscapeTemplate escapes what a template holds beside its sources.
func EscapeTemplate(text string, escape func(string) string) (string, error) {
	t, err := parseTemplate(text)
	var escaped strings.Builder
	for _, p := range t {
		if p.source == "" {
			escaped.WriteString(escape(p.literal))
		} else {
			escaped.WriteString("$(" + p.source + "." + p.name + ")")
		}
	}
	return escaped.String(), err
}

// dynamic reports whether the text depends on a request.
func (t template) dynamic() bool {
	for _, p := range t {
		if p.source != "" {
			return true
		}
	}
	return false
}

// text returns the whole of a template without sources.
func (t template) text() string {
	if len(t) == 0 {
		return ""
	}
	return t[0].literal
}

// captures reports whether the text takes a named group of the request's path.
func (t template) captures() bool {
	return slices.ContainsFunc(t, func(p part) bool { return p.source == "uri_captures" })
}

// expand replaces the sources with their values, each passed through escape. A
// missing or empty value is a RequestError that names it.
func (t template) expand(c Client, escape func(string) string) (string, error) {
	if len(t) == 1 && t[0].source == "" {
		return t[0].literal, nil
	}
	var text strings.Builder
	for _, p := range t {
		value := p.literal
		if p.source != "" {
			found, err := p.lookup(c)
			if err != nil {
				return "", err
			}
			value = escape(found)
		}
		text.WriteString(value)
	}
	return text.String(), nil
}

func (p part) lookup(c Client) (string, error) {
	var value, kind string
	switch p.source {
	case "query_params":
		value, kind = queryValue(c.Query, p.name), "query parameter"
	case "uri_captures":
		value, kind = c.Captures[p.name], "named group in the path of its route,"
	default:
		value, kind = c.header(p.name), "header"
	}
	if value == "" {
		return "", badRequest(CodeInvalidRequest, fmt.Sprintf("request lacks the %s %q, which the target needs", kind, p.name))
	}
	return value, nil
}
