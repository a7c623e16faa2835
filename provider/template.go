package provider

import (
	"errors"
	"fmt"
	"strings"
)

// template is a text with sources of the client's request in it:
// $(headers.x), $(query_params.x) and $(uri_captures.x).
type template []part

// part is a literal, or the name of something in a source.
type part struct{ literal, source, name string }

func literal(text string) template {
	if text == "" {
		return nil
	}
	return template{{literal: text}}
}

// parseTemplate reads a template. Credentials of the client are no source.
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
			if isCredentialHeader(name) {
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

// dynamic tells whether the text depends on a request.
func (t template) dynamic() bool {
	for _, p := range t {
		if p.source != "" {
			return true
		}
	}
	return false
}

// text is the whole of a template without sources.
func (t template) text() string {
	if len(t) == 0 {
		return ""
	}
	return t[0].literal
}

// expand fills the sources in, each passed through escape. A missing or empty
// source is a RequestError that names it.
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
	case "headers":
		value, kind = c.header(p.name), "header"
	case "query_params":
		value, kind = queryValue(c.Query, p.name), "query parameter"
	default:
		value, kind = c.Captures[p.name], "capture of the path"
	}
	if value == "" {
		return "", badRequest(CodeInvalidRequest, fmt.Sprintf("request lacks the %s %q, which the target needs", kind, p.name))
	}
	return value, nil
}
