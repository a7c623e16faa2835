package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Format is a format that configurations are written in.
type Format string

// The formats [Convert] writes.
const (
	// FormatDeck is a decK file.
	FormatDeck Format = "deck"
	// FormatAdmin is a shell script of the requests to the Admin API.
	FormatAdmin Format = "admin-api"
	// FormatKonnect is a shell script of the requests to Konnect.
	FormatKonnect Format = "konnect"
	// FormatKubernetes is resources of Kong's controller and of Kubernetes.
	FormatKubernetes Format = "kubernetes"
	// FormatTerraform is resources of Konnect's Terraform provider.
	FormatTerraform Format = "terraform"
)

// Formats lists the formats [Convert] writes.
func Formats() []Format {
	return []Format{FormatDeck, FormatKubernetes, FormatTerraform, FormatAdmin, FormatKonnect}
}

// Convert returns the instances and entities of sources in another format.
// References to the environment stay references, in the way of the format: no
// variable is looked up, and what a Kubernetes secret holds becomes a variable. What
// a source holds in clear text otherwise is in clear text in the result. What is
// wrong with the sources is an error as it is for [Load]. What a format cannot say
// is an error or, where the meaning stays, a warning.
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
	if len(l.converted)+len(l.kept) == 0 {
		return nil, l.warnings, errors.New("convert: there is nothing to convert")
	}
	for _, p := range l.converted {
		l.symbols.place(l.table, p.n)
	}
	w := writer{plugins: l.converted, symbols: l.symbols, entities: l.keptInOrder(), table: l.entities, settings: l.table}
	out, err := w.write(to)
	return out, append(l.warnings, w.warnings...), err
}

// keptEntity is an entity for conversion.
type keptEntity struct {
	kind, name string
	n          *node
	// service is the service of a route.
	service string
	// groups are those of a consumer.
	groups []string
}

// keep keeps an entity for conversion.
func (l *loader) keep(e keptEntity) {
	if l.symbols == nil {
		return
	}
	s := l.entities.fields[e.kind]
	l.symbols.place(s, e.n)
	e.n = normal(s, e.n)
	for _, other := range []string{"plugins", "routes", "service", "groups", "consumers", "acls", "created_at", "updated_at"} {
		e.n = e.n.without(other)
	}
	l.kept = append(l.kept, e)
}

// keptInOrder returns the entities, those first that others refer to.
func (l *loader) keptInOrder() []keptEntity {
	var all []keptEntity
	names := newIndex(&l.config)
	for _, kind := range []string{"service", "route", "consumer_group", "consumer"} {
		for _, e := range l.kept {
			if e.kind != kind {
				continue
			}
			e.service = names.Of("service", e.service)
			e.groups = names.groups[e.name]
			all = append(all, e)
		}
	}
	return all
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
	// typed tells that it stands in a field that is no string.
	typed bool
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
		for _, m := range regexp.MustCompile(symbolOpen+`(\d+)`+symbolClose).FindAllStringSubmatch(n.text, -1) {
			if i, err := strconv.Atoi(m[1]); err == nil && i < len(s.all) {
				s.all[i].outside = true
				s.all[i].typed = field.kind != kindString
			}
		}
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
