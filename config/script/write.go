package script

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/placeholder"
	"semlb/config/tree"
)

// Addresses of the APIs. Konnect's has placeholders that its documentation uses.
const (
	adminAddress   = "http://localhost:8001/"
	konnectAddress = "https://{region}.api.konghq.com/v2/control-planes/{controlPlaneId}/core-entities/"
	konnectHeader  = " \\\n    --header \"Authorization: Bearer $KONNECT_TOKEN\""
)

// write returns a shell script of the requests that make everything, in the form of
// the published examples. Variables are left to the shell.
func write(out *format.Output, name string) ([]byte, error) {
	if err := out.RequireDirect(name); err != nil {
		return nil, err
	}
	out.DisableUnbound()
	out.AddHosts()
	w := writer{Output: out, address: adminAddress}
	if name == KonnectName {
		w.address, w.headers = konnectAddress, konnectHeader
	}
	w.text.WriteString("#!/bin/sh\n")
	for _, e := range out.Entities {
		w.entity(e)
	}
	for _, p := range out.Plugins {
		w.plugin(p)
	}
	return []byte(w.text.String()), w.err
}

// writer writes requests.
type writer struct {
	*format.Output
	address, headers string
	text             strings.Builder
	// err is the first error.
	err error
}

func (w *writer) entity(e format.Entity) {
	n := e.Node
	if e.Service != "" {
		n = n.With("service", w.Reference(config.KindService, e.Service))
	}
	for _, kind := range format.Credentials {
		n = n.Without(kind.List)
	}
	w.post(n, e.Kind+"s")
	for _, kind := range format.Credentials {
		for _, credential := range e.Node.Get(kind.List).Elements() {
			w.post(credential, "consumers", e.Name, kind.Path)
		}
	}
	for _, g := range e.Groups {
		w.post(tree.NewObject("consumer", tree.NewString(e.Name)), "consumer_groups", g, "consumers")
	}
}

// plugin writes an instance below the first part of its scope.
func (w *writer) plugin(p format.Plugin) {
	body, path := p.Body(w.Reference), []string{"plugins"}
	for i, name := range p.Scope.Parts() {
		if name != "" {
			kind := config.ScopeParts[i]
			body, path = body.Without(kind), []string{kind + "s", name, "plugins"}
			break
		}
	}
	w.post(body, path...)
}

// post writes a request.
func (w *writer) post(body *tree.Node, path ...string) {
	value := jsontext.Value(tree.AppendJSON(nil, body))
	if err := value.Indent(jsontext.WithIndent("  ")); err != nil {
		w.err = fmt.Errorf("indent JSON: %w", err)
		return
	}
	fmt.Fprintf(&w.text, "\ncurl --fail-with-body -X POST %s \\\n    --header \"Content-Type: application/json\"%s \\\n    --data '\n%s\n'\n",
		w.quotedAddress(path), w.headers, w.withVariables(string(value)))
}

// withVariables returns JSON for a single-quoted argument, in which the shell fills in
// variables.
func (w *writer) withVariables(text string) string {
	text = singleQuoted.Replace(text)
	// A value that is no string stands without quotes.
	text = quotedPlaceholder.ReplaceAllStringFunc(text, func(m string) string {
		inner, typed := strings.Trim(m, `"`), false
		w.Placeholders.Replace(inner, func(p placeholder.Placeholder) string { typed = p.Typed; return "" })
		if typed {
			return inner
		}
		return m
	})
	return w.Placeholders.Replace(text, func(p placeholder.Placeholder) string { return `'"` + p.Dollar() + `"'` })
}

var (
	quotedPlaceholder = regexp.MustCompile(`"` + placeholder.Pattern + `"`)
	// singleQuoted escapes what ends a single-quoted argument.
	singleQuoted = strings.NewReplacer("'", `'\''`)
	// plainPaths end in collections that are no shell word of their own.
	plainPaths = []string{"services", "routes", "consumers", "consumer_groups", "plugins"}
)

// shellSpecial are the characters that a shell would take for more than text.
const shellSpecial = "'|&;()<>*?$`\"\\ "

// quotedAddress returns the address of a path, in quotes where it needs them.
func (w *writer) quotedAddress(path []string) string {
	escaped := make([]string, len(path))
	for i, part := range path {
		escaped[i] = url.PathEscape(part)
	}
	address := w.address + strings.Join(escaped, "/")
	if slices.Contains(plainPaths, path[len(path)-1]) && !strings.ContainsAny(address, shellSpecial) {
		return address
	}
	return "'" + singleQuoted.Replace(address) + "'"
}
