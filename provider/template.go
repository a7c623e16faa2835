package provider

import (
	"errors"
	"fmt"
	"strings"

	"semlb/wire"
)

// template is a text with values of the client's request in it: $(headers.x) and
// $(query_params.x).
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
		case "query_params":
		default:
			return nil, fmt.Errorf("template source: got %q, want headers or query_params", source)
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
	value, kind := c.header(p.name), "header"
	if p.source == "query_params" {
		value, kind = queryValue(c.Query, p.name), "query parameter"
	}
	if value == "" {
		return "", badRequest(CodeInvalidRequest, fmt.Sprintf("request lacks the %s %q, which the target needs", kind, p.name))
	}
	return value, nil
}
