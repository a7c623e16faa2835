package config

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Format is a format that configurations are written in.
type Format string

// The formats [Convert] writes.
const (
	// FormatDeck is a decK file.
	FormatDeck Format = "deck"
	// FormatAdmin is the body of an Admin API or Konnect request; of several
	// instances a list of them, as those APIs answer.
	FormatAdmin Format = "admin"
	// FormatKubernetes is a KongPlugin or KongClusterPlugin for each instance.
	FormatKubernetes Format = "kubernetes"
	// FormatTerraform is a konnect_gateway_plugin_ai_proxy_advanced for each instance.
	FormatTerraform Format = "terraform"
)

// Convert returns the instances of sources in another format. References to the
// environment stay references, in the way of the format: no variable is looked up.
// What a source holds in clear text is in clear text in the result.
// What is wrong with the sources is an error as it is for [Load]. What else the
// sources hold is left out, with warnings.
func Convert(sources []Source, to Format, opts Options) ([]byte, []Warning, error) {
	opts.Env = func(string) (string, bool) { return "0", true }
	l, err := newLoader(opts)
	if err != nil {
		return nil, nil, err
	}
	l.symbols = &symbols{}
	for _, source := range sources {
		if bytes.ContainsAny(source.Data, symbolOpen+symbolClose) {
			return nil, nil, fmt.Errorf("convert %s: it holds characters of the private use area", source.Name)
		}
	}
	if err := l.load(sources); err != nil {
		return nil, l.warnings, err
	}
	c := l.config
	if n := len(c.Services) + len(c.Routes) + len(c.Consumers) + len(c.ConsumerGroups); n > 0 {
		l.warn(Position{}, "", "services, routes, consumers and groups are left out: only the plugins are converted")
	}
	for _, p := range l.converted {
		l.symbols.place(l.table, p.n)
	}
	w := writer{plugins: l.converted, symbols: l.symbols}
	out, err := w.write(to)
	return out, l.warnings, err
}

// The characters around a symbol's number. They are of Unicode's private use area,
// which no configuration uses.
const (
	symbolOpen  = "\uE000"
	symbolClose = "\uE001"
)

// symbol stands for a value of the environment.
type symbol struct {
	// name is the variable's.
	name string
	// template is decK's way to ask for it, or empty where the source has another.
	template string
	// outside tells that the symbol stands in a field that is no secret, where only
	// some formats have references.
	outside bool
}

// symbols are those of a conversion.
type symbols struct{ all []symbol }

// add returns the text that stands for a symbol.
func (s *symbols) add(one symbol) string {
	s.all = append(s.all, one)
	return symbolOpen + strconv.Itoa(len(s.all)-1) + symbolClose
}

// variable returns the text that stands for a variable.
func (s *symbols) variable(name string) (string, bool) {
	return s.add(symbol{name: name}), true
}

// place notes which symbols stand outside of secret fields.
func (s *symbols) place(field *spec, n *node) {
	if field == nil {
		return
	}
	for _, f := range n.fields {
		s.place(field.fields[f.name], f.value)
	}
	for _, item := range n.items {
		s.place(field.item, item)
	}
	if n.kind == kindString && !field.secret {
		s.replace(n.text, func(one symbol) string {
			i := slices.IndexFunc(s.all, func(other symbol) bool { return other == one })
			s.all[i].outside = true
			return ""
		})
	}
}

// replace returns a text with every symbol written by a function.
func (s *symbols) replace(text string, write func(symbol) string) string {
	return regexp.MustCompile(symbolOpen+`\d+`+symbolClose).ReplaceAllStringFunc(text, func(m string) string {
		i, err := strconv.Atoi(m[len(symbolOpen) : len(m)-len(symbolClose)])
		if err != nil || i >= len(s.all) {
			return m
		}
		return write(s.all[i])
	})
}

// deck returns decK's way to ask for a variable.
func (s symbol) deck() string {
	if s.template != "" {
		return s.template
	}
	name := s.name
	if !strings.HasPrefix(name, "DECK_") {
		name = "DECK_" + name
	}
	return `${{ env "` + name + `" }}`
}

// plain returns the variable's name without decK's prefix.
func (s symbol) plain() string { return strings.TrimPrefix(s.name, "DECK_") }

// direct reports whether a symbol is a variable's value and nothing more.
func (s symbol) direct() bool {
	return s.template == "" || regexp.MustCompile("^\\$\\{\\{\\s*env\\s+[\"`]\\w+[\"`]\\s*\\}\\}$").MatchString(s.template)
}
