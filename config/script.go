package config

import (
	"net/url"
	"slices"
	"strings"
)

// request is a request to the Admin API or to Konnect that a script makes.
type request struct {
	// parts are those of the path, behind what is before the entities.
	parts []string
	body  *node
}

// script reads the requests of curl, and what kubectl applies and annotates, out of
// a shell script. It executes nothing.
func (l *loader) script(source Source) {
	commands, ok := readShell(string(source.Data))
	if !ok {
		l.problem(Position{File: source.Name}, "", "too many values")
		return
	}
	lines := lineStarts(source.Data)
	for i, c := range commands {
		if len(c.words) == 0 {
			continue
		}
		line := lineAt(lines, firstOffset(c.words[0]))
		s := scriptCommand{loader: l, source: source, lines: lines, words: c.words, pos: Position{File: source.Name, Line: line + 1, Column: 1}}
		name := c.words[0].plain()
		piped := i+1 < len(commands) && commands[i+1].piped
		switch {
		case name == "curl":
			s.curl()
		case piped && len(printed(c)) > 0:
			// What it prints is read with the command behind the pipe.
		case name == "kubectl" && len(c.words) > 1 && c.words[1].plain() == "apply" && len(inputOf(commands, i)) > 0:
			s.apply(inputOf(commands, i))
		case name == "kubectl" && len(c.words) > 1 && c.words[1].plain() == "annotate":
			s.annotate()
		default:
			l.warn(s.pos, "", "command "+printable(name)+" is not read")
		}
	}
}

// printed returns what a command prints: echo its words, and cat its here-document.
func printed(c shellCommand) []shellWord {
	switch name := c.words[0].plain(); {
	case name == "echo":
		return c.words[1:]
	case name == "cat" && len(c.input.pieces) > 0:
		return []shellWord{c.input}
	default:
		return nil
	}
}

// inputOf returns what a command reads: its here-document, or what the command before
// the pipe prints.
func inputOf(commands []shellCommand, i int) []shellWord {
	c := commands[i]
	switch {
	case len(c.input.pieces) > 0:
		return []shellWord{c.input}
	case c.piped && i > 0 && len(commands[i-1].words) > 0:
		return printed(commands[i-1])
	default:
		return nil
	}
}

func firstOffset(w shellWord) int {
	if len(w.pieces) == 0 {
		return 0
	}
	return w.pieces[0].start
}

// scriptCommand is one command of a script.
type scriptCommand struct {
	*loader
	source Source
	// lines are where the lines of the source start.
	lines []int
	words []shellWord
	pos   Position
}

// curl notes a request.
func (s scriptCommand) curl() {
	method, address, body := "", shellWord{}, shellWord{}
	withValue := []string{
		"-A", "-H", "-b", "-c", "-e", "-m", "-o", "-u", "-w", "-x", "--cacert", "--cert", "--connect-timeout",
		"--header", "--key", "--max-time", "--output", "--retry", "--user", "--write-out",
	}
	for i := 1; i < len(s.words); i++ {
		word := s.words[i].plain()
		value := shellWord{}
		if i+1 < len(s.words) {
			value = s.words[i+1]
		}
		switch {
		case word == "-X" || word == "--request":
			method = value.plain()
		case word == "--url":
			address = value
		case slices.Contains([]string{"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"}, word):
			body = value
		case slices.Contains(withValue, word):
		case strings.HasPrefix(word, "-"):
			continue
		default:
			address = s.words[i]
			continue
		}
		i++
	}
	if method == "" && len(body.pieces) > 0 {
		method = "POST"
	}
	if !slices.Contains([]string{"POST", "PUT", "PATCH"}, method) {
		s.warn(s.pos, "", "a request that sends nothing is not read")
		return
	}
	if parts, ok := s.path(address); ok {
		s.note(parts, body)
	}
}

// maxPathPieces bounds what an address is made of.
const maxPathPieces = 100

// path returns the parts of an address behind what Konnect has before entities.
func (s scriptCommand) path(address shellWord) ([]string, bool) {
	text := ""
	if len(address.pieces) > maxPathPieces {
		s.problem(s.pos, "", "got an address that is no path of the Admin API")
		return nil, false
	}
	for _, p := range address.pieces {
		if p.placeholder && strings.HasSuffix(p.text, "Id") && !strings.Contains(text, "control-planes") || p.placeholder && strings.Contains(text, "core-entities") {
			s.warn(s.pos, "", "put the name or the id in the place of {"+p.text+"}")
			text += url.PathEscape(p.text)
			continue
		}
		text += p.text
	}
	if _, rest, ok := strings.Cut(text, "://"); ok {
		text = rest
	}
	_, text, _ = strings.Cut(text, "/")
	text, _, _ = strings.Cut(text, "?")
	if _, rest, ok := strings.Cut(text, "core-entities/"); ok {
		text = rest
	}
	parts := strings.Split(strings.Trim(text, "/"), "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil || plain == "" {
			s.problem(s.pos, "", "got an address that is no path of the Admin API")
			return nil, false
		}
		parts[i] = plain
	}
	return parts, true
}

// note notes a request with its body.
func (s scriptCommand) note(parts []string, body shellWord) {
	if strings.HasPrefix(body.plain(), "@") {
		s.problem(s.pos, "", "not supported yet: a body from a file")
		return
	}
	before := len(s.faults)
	doc := s.wordDocument(body)
	if len(s.faults) > before {
		return
	}
	tree, err := parseJSON(doc)
	if err != nil {
		s.add(jsonFault(doc, err))
		return
	}
	s.requests = append(s.requests, request{parts, tree})
}

// apply reads the resources that are piped into kubectl.
func (s scriptCommand) apply(words []shellWord) {
	all := shellWord{}
	for _, w := range words {
		all.pieces = append(all.pieces, w.pieces...)
	}
	trees, faults := s.wordDocument(all).parse()
	for _, f := range faults {
		s.add(f)
	}
	for _, tree := range trees {
		s.recognise(tree, Scope{})
	}
}

// annotate binds plugins to a resource.
func (s scriptCommand) annotate() {
	key, rest := objectKey{}, []string(nil)
	for i := 2; i < len(s.words); i++ {
		switch word := s.words[i].plain(); {
		case word == "-n" || word == "--namespace":
			if i++; i < len(s.words) {
				key.namespace = s.words[i].plain()
			}
		case !strings.HasPrefix(word, "-"):
			rest = append(rest, word)
		}
	}
	if len(rest) < 3 || strings.Contains(rest[1], "=") {
		s.warn(s.pos, "", "put the name of the resource into the command: kubectl annotate KIND NAME …")
		return
	}
	part, known := map[string]int{
		"service": partService, "services": partService, "svc": partService, "ingress": partRoute, "ingresses": partRoute,
		"ing": partRoute, "httproute": partRoute, "httproutes": partRoute, "kongconsumer": partConsumer, "kongconsumers": partConsumer,
		"kongconsumergroup": partGroup, "kongconsumergroups": partGroup,
	}[strings.ToLower(rest[0])]
	if !known {
		s.warn(s.pos, "", "resource "+printable(rest[0])+" is not read")
		return
	}
	key.name = rest[1]
	for _, a := range rest[2:] {
		names, ok := strings.CutPrefix(a, annotationPlugins+"=")
		for _, name := range commaSeparated(names) {
			if ok {
				at := &node{kind: kindString, pos: s.pos, text: names}
				s.addBinding(binding{part, s.cluster.entity(part, key), name, key.namespace, "metadata.annotations", at})
			}
		}
	}
}

// entity returns what a resource is called elsewhere.
func (c *cluster) entity(part int, key objectKey) string {
	switch part {
	case partService, partRoute:
		return key.String()
	case partConsumer:
		for _, n := range c.consumers {
			if keyOf(n) == key {
				return firstOf(n.get("username").str(), n.get("custom_id").str())
			}
		}
	}
	return key.name
}
