package script

import (
	"fmt"
	"net"
	"path"
	"regexp"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/schema"
	"semlb/config/script/shell"
)

// prefixes are commands that run the command behind them.
var prefixes = []string{"command", "env", "exec", "nohup", "sudo"}

// withoutPrefix returns the words of the command that a command such as sudo runs. A
// prefix with flags stays: whether they have values is not known here. Variables of the
// command's name are filled in, and may hold flags.
func (s *scriptReader) withoutPrefix(words []shell.Word) []shell.Word {
	for len(words) > 1 && slices.Contains(prefixes, commandName(words)) && !strings.HasPrefix(words[1].Plain(), "-") {
		isEnv := commandName(words) == "env"
		words = words[1:]
		for isEnv && len(words) > 1 && strings.Contains(words[0].Plain(), "=") {
			words = words[1:]
		}
	}
	if first := words[0]; len(first.Pieces) == 1 && first.Pieces[0].Variable != "" {
		if text, filled := s.plain(first); filled {
			return append(fieldsOf(first, text), words[1:]...)
		}
	}
	return words
}

// fieldsOf returns the words that a shell makes of a variable with some text.
func fieldsOf(variable shell.Word, text string) []shell.Word {
	var fields []shell.Word
	for _, field := range strings.Fields(text) {
		piece := variable.Pieces[0]
		fields = append(fields, shell.Word{Pieces: []shell.Piece{{Text: field, Start: piece.Start, End: piece.End}}})
	}
	return fields
}

// withFlags returns words with the flags that known variables hold, each a word of its own.
func (s *scriptReader) withFlags(words []shell.Word) []shell.Word {
	var all []shell.Word
	for _, w := range words {
		text, filled := s.plain(w)
		if len(w.Pieces) == 1 && filled && strings.HasPrefix(strings.TrimLeft(text, " \t\n"), "-") {
			all = append(all, fieldsOf(w, text)...)
			continue
		}
		all = append(all, w)
	}
	return all
}

// isOpen reports whether a word may be any words: an array, a variable, a substitution or
// the parameters of a function, whose value only a shell knows.
func (s *scriptReader) isOpen(w shell.Word) bool {
	if len(w.Pieces) != 1 {
		return false
	}
	p := w.Pieces[0]
	if p.Variable != "" {
		_, known := s.value(p)
		return !known
	}
	return p.Unread || onlyParameter.MatchString(p.Text)
}

// commandName returns the name of a command without the directory it is in.
func commandName(words []shell.Word) string {
	if len(words) == 0 {
		return ""
	}
	return path.Base(words[0].Plain())
}

// harmless are commands around requests that configure nothing.
var harmless = []string{":", "[", "cd", "echo", "exit", "false", "grep", "jq", "printf", "return", "set", "sleep", "tee", "test", "true", "wait"}

// wellKnown are the names of other commands that messages show. Every other word may be
// a credential.
var wellKnown = []string{
	"apt-get", "aws", "az", "bash", "brew", "cat", "chmod", "cp", "deck", "docker", "eval", "find", "gcloud", "git", "helm", "http", "https", "kind",
	"kong", "kubectl", "ls", "make", "minikube", "mkdir", "mv", "openssl", "python3", "rm", "sed", "sh", "source", "ssh", "sudo", "terraform", "trap", "vault", "wget", "xargs",
}

// unread reports a command that is not read: a fault where it may make what guards.
func (s *scriptReader) unread(pos config.Position, name string, words []shell.Word) {
	shown := "a command"
	if slices.Contains(wellKnown, name) {
		shown = fmt.Sprintf("command %q", name)
	}
	switch text := s.textOf(words); {
	case name == "cat": // it only prints
	case namesGuard(text), s.namesAdminAPI(text):
		s.Problem(pos, "", "not supported yet: %s that may make a request to the Admin API: write it as a curl command", shown)
		return
	case name != "kubectl" && name != "deck":
		if applier := s.applierIn(words); applier != "" {
			s.Problem(pos, "", "not supported yet: %s that may apply a file: write it as a %s command", shown, applier)
			return
		}
	}
	if !s.substituted {
		s.Warn(pos, "", shown+" is ignored")
	}
}

// applierIn returns the command among the words of another one that may make what a file
// says, such as that of sudo -E kubectl apply -f FILE, or "".
func (s *scriptReader) applierIn(words []shell.Word) string {
	applier, applies := "", false
	for _, w := range words {
		text, _ := s.plain(w)
		base, _, _ := strings.Cut(path.Base(text), ":") // an image may have a tag
		switch {
		case base == "kubectl", base == "oc":
			applier = "kubectl"
		case base == "deck":
			applier = base
		case applier == "deck" && slices.Contains(deckVerbs, text):
			return applier
		case applier == "kubectl" && slices.Contains(applying, text):
			applies = true
		case applies && (strings.HasPrefix(text, "-f") || strings.HasPrefix(text, "-k") || strings.HasPrefix(text, "--filename") || strings.HasPrefix(text, "--kustomize")):
			return applier
		}
	}
	return ""
}

// ignoredRequest reports a request to a path that is not read: a fault where it may make
// what guards.
func (s curlReader) ignoredRequest(pos config.Position, a addressParts, words []shell.Word) {
	r := request{parts: a.parts}
	switch {
	case otherCollections[r.part(0)]:
	case namesGuard(s.textOf(words)), s.hosts[a.host], adminPort(a.host):
		s.Problem(pos, "", "not supported yet: a request to %q", r.shownPath())
		return
	}
	s.Warn(pos, "", fmt.Sprintf("a request to %q is ignored", r.shownPath()))
}

// textOf returns words with the variables that are known filled in.
func (s *scriptReader) textOf(words []shell.Word) string {
	var b strings.Builder
	for _, w := range words {
		text, _ := s.plain(w)
		b.WriteString(text + " ")
	}
	return b.String()
}

// namePattern matches a name in a form, in JSON and in JSON inside of quotes.
var namePattern = regexp.MustCompile(`\bname\W{0,4}[=:]\W{0,4}([a-z][a-z0-9-]+)`)

// namesGuard reports whether a text has a field that names a plugin that guards.
func namesGuard(text string) bool {
	return slices.ContainsFunc(namePattern.FindAllStringSubmatch(text, -1), func(m []string) bool { return schema.Guards(m[1]) })
}

// urlPattern matches the host and the collection of what may be an address of the Admin
// API, with or without a workspace.
var urlPattern = regexp.MustCompile(`([A-Za-z0-9_.:@$%{}\[\]-]*)/(?:[A-Za-z0-9_.~$%{}-]+/)?(?:services|routes|consumers|consumer_groups|plugins|vaults)\b`)

// namesAdminAPI reports whether a text has an address of something that is read.
func (s *scriptReader) namesAdminAPI(text string) bool {
	return strings.Contains(text, "/core-entities/") ||
		slices.ContainsFunc(urlPattern.FindAllStringSubmatch(text, -1), func(m []string) bool { return m[1] != "" && !s.hosts.isForeign(m[1]) })
}

// hosts are those of the requests that are read.
type hosts map[string]bool

// isForeign reports whether a host is certainly not that of the Admin API.
func (h hosts) isForeign(host string) bool {
	name := host
	if withoutPort, _, err := net.SplitHostPort(host); err == nil {
		name = withoutPort
	}
	name = name[strings.LastIndexByte(name, '@')+1:]
	switch {
	case h[host], adminPort(host), name == "localhost", name == "127.0.0.1", name == "::1":
		return false
	default:
		return !strings.ContainsAny(host, "$"+unread) && !strings.Contains(name, "kong")
	}
}

// adminPort reports whether a host has a port of the Admin API.
func adminPort(host string) bool {
	return strings.HasSuffix(host, ":8001") || strings.HasSuffix(host, ":8444")
}
