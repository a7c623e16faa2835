package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// script writes a shell script of the requests that make everything, in the form of
// the published examples. Variables are left to the shell.
func (w *writer) script(to Format) ([]byte, error) {
	s := scriptWriter{writer: w, base: "http://localhost:8001/"}
	if to == FormatKonnect {
		s.base = "https://{region}.api.konghq.com/v2/control-planes/{controlPlaneId}/core-entities/"
		s.headers = " \\\n    --header \"Authorization: Bearer $KONNECT_TOKEN\""
	}
	s.out.WriteString("#!/bin/sh\n")
	for _, e := range w.entities {
		s.entity(e)
	}
	for _, p := range w.plugins {
		s.plugin(p)
	}
	return []byte(s.out.String()), s.err
}

// scriptWriter writes requests.
type scriptWriter struct {
	*writer
	base, headers string
	out           strings.Builder
	err           error
}

// credentialPaths are where credentials are made, by their lists.
func credentialPaths() [][2]string {
	return [][2]string{{"keyauth_credentials", "key-auth"}, {"basicauth_credentials", "basic-auth"}, {"jwt_secrets", "jwt"}}
}

func (s *scriptWriter) entity(e keptEntity) {
	n := e.n
	if e.service != "" {
		n = n.with("service", s.ref("service", e.service))
	}
	for _, c := range credentialPaths() {
		n = n.without(c[0])
	}
	s.post(n, e.kind+"s")
	for _, c := range credentialPaths() {
		for _, credential := range e.n.get(c[0]).elements() {
			s.post(credential, "consumers", e.name, c[1])
		}
	}
	for _, g := range e.groups {
		s.post(object("consumer", text(e.name)), "consumer_groups", g, "consumers")
	}
}

// plugin writes an instance below the first part of its scope.
func (s *scriptWriter) plugin(p entry) {
	body := p.body(s.ref)
	path := []string{"plugins"}
	for i, name := range p.scope.Parts() {
		if name != "" {
			body = body.without(scopeNames()[i])
			path = []string{scopeNames()[i] + "s", name, "plugins"}
			break
		}
	}
	s.post(body, path...)
}

// post writes a request.
func (s *scriptWriter) post(body *node, path ...string) {
	value := jsontext.Value(jsonText(nil, body))
	if err := value.Indent(jsontext.WithIndent("  ")); err != nil {
		s.err = fmt.Errorf("indent JSON: %w", err)
		return
	}
	data := strings.ReplaceAll(string(value), "'", `'\''`)
	// A value that is no string stands without quotes.
	data = regexp.MustCompile(`"`+symbolOpen+`(\d+)`+symbolClose+`"`).ReplaceAllStringFunc(data, func(m string) string {
		inner := m[1 : len(m)-1]
		typed := false
		s.symbols.replace(inner, func(one symbol) string { typed = one.typed; return "" })
		if typed {
			return inner
		}
		return m
	})
	data = s.symbols.replace(data, func(one symbol) string { return `'"$` + one.plain() + `"'` })
	address := ""
	for i, part := range path {
		if i > 0 {
			address += "/"
		}
		address += url.PathEscape(part)
	}
	// What a shell would take for more than text stands in single quotes.
	address = s.base + address
	if !slices.Contains([]string{"services", "routes", "consumers", "consumer_groups", "plugins"}, path[len(path)-1]) || strings.ContainsAny(address, "'|&;()<>*?$`\"\\ ") {
		address = "'" + strings.ReplaceAll(address, "'", `'\''`) + "'"
	}
	fmt.Fprintf(&s.out, "\ncurl --fail-with-body -X POST %s \\\n    --header \"Content-Type: application/json\"%s \\\n    --data '\n%s\n'\n", address, s.headers, data)
}
