package script

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/script/shell"
	"semlb/config/tree"
)

// curlFlags are the flags of one curl command.
type curlFlags struct {
	*flagReader
	method    string
	address   shell.Word
	data      []curlData
	get, head bool
}

// curlData is a piece of a request's body.
type curlData struct {
	word shell.Word
	kind dataKind
	// input is set for what the command reads.
	input bool
}

// dataKind is the kind of flag that gives a piece of a body.
type dataKind int

const (
	dataPlain   dataKind = iota // --data: joined with &
	dataRaw                     // --data-raw: a leading @ means nothing
	dataJSON                    // --json: joined as it is
	dataEncoded                 // --data-urlencode
	dataForm                    // --form
	dataString                  // --form-string: no special characters
)

func newCurlFlags() *curlFlags {
	c := &curlFlags{flagReader: newFlagReader("curl")}
	c.take("request", "X", func(w shell.Word) { c.method = w.Plain() })
	c.take("url", "", func(w shell.Word) { c.address = w })
	for name, kind := range map[string]dataKind{
		"data,d": dataPlain, "data-ascii": dataPlain, "data-binary": dataPlain, "data-raw": dataRaw, "json": dataJSON,
		"data-urlencode": dataEncoded, "form,F": dataForm, "form-string": dataString,
	} {
		name, short, _ := strings.Cut(name, ",")
		c.take(name, short, func(w shell.Word) { c.data = append(c.data, curlData{word: w, kind: kind}) })
	}
	c.set.BoolVarP(&c.get, "get", "G", false, "")
	c.set.BoolVarP(&c.head, "head", "I", false, "")
	c.ignore(
		"user-agent,A", "cookie,b", "cookie-jar,c", "continue-at,C", "dump-header,D", "referer,e", "cert,E", "header,H",
		"config,K", "max-time,m", "output,o", "ftp-port,P", "quote,Q", "range,r", "telnet-option,t", "upload-file,T",
		"user,u", "proxy-user,U", "write-out,w", "proxy,x", "speed-time,y", "speed-limit,Y", "time-cond,z",
		"aws-sigv4", "cacert", "capath", "cert-type", "ciphers", "connect-timeout", "connect-to", "crlfile", "curves",
		"dns-servers", "doh-url", "engine", "expect100-timeout", "happy-eyeballs-timeout-ms", "interface",
		"keepalive-time", "key", "key-type", "limit-rate", "local-port", "max-filesize", "max-redirs", "netrc-file",
		"noproxy", "oauth2-bearer", "output-dir", "parallel-max", "pass", "pinnedpubkey", "preproxy", "proto",
		"proto-default", "proto-redir", "proxy-header", "rate", "request-target", "resolve", "retry", "retry-delay",
		"retry-max-time", "service-name", "socks4", "socks4a", "socks5", "socks5-hostname", "stderr", "tls-max",
		"tls13-ciphers", "trace", "trace-ascii", "unix-socket", "url-query", "variable",
	)
	c.switches(
		"http1.0,0", "tlsv1,1", "sslv2,2", "sslv3,3", "ipv4,4", "ipv6,6", "append,a", "use-ascii,B", "fail,f",
		"globoff,g", "help,h", "include,i", "junk-session-cookies,j", "insecure,k", "list-only,l", "location,L",
		"manual,M", "netrc,n", "no-buffer,N", "remote-name,O", "proxytunnel,p", "disable,q", "remote-header-name,J",
		"remote-time,R", "silent,s", "show-error,S", "verbose,v", "version,V", "parallel,Z", "progress-bar,#",
	)
	return c
}

// curl notes a request.
func (s *scriptReader) curl(pos config.Position, words, input []shell.Word) {
	c := s.curlFlags
	c.method, c.address, c.data, c.get, c.head = "", shell.Word{}, nil, false, false
	if rest := c.parse(words); len(rest) > 0 {
		c.address = rest[len(rest)-1]
	}
	c.readInput(input)
	if c.method == "" && len(c.data) > 0 && !c.get && !c.head {
		c.method = "POST"
	}
	r := request{method: c.method, pos: pos, body: &tree.Node{Kind: tree.Object, Pos: pos}}
	switch c.method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return // it changes nothing
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		s.Warn(pos, "", "a request with a method that the Admin API does not have is ignored")
		return
	}
	var ok bool
	if r.parts, r.filled, ok = s.path(pos, c.address); !ok {
		return
	}
	if c.method != http.MethodDelete {
		if r.body = s.body(pos, r.parts, c.data); r.body == nil {
			return
		}
		r.body = r.body.AsArgument()
	}
	s.requests = append(s.requests, r)
}

// maxPathPieces bounds what an address is made of.
const maxPathPieces = 100

// unread stands in an address for what only a shell knows.
const unread = "\x00"

// path returns the parts of the path of an address, behind what Konnect has before
// entities, and whether there are values of variables in it.
func (s *scriptReader) path(pos config.Position, address shell.Word) (parts []string, filled, ok bool) {
	text, filled := s.address(pos, address)
	_, text, _ = strings.Cut(withoutScheme(text), "/")
	text, _, _ = strings.Cut(text, "?")
	if _, rest, ok := strings.Cut(text, "core-entities/"); ok {
		text = rest
	}
	parts = strings.Split(strings.Trim(text, "/"), "/")
	if r := (request{parts: parts}); !r.isRead() {
		s.Warn(pos, "", fmt.Sprintf("a request to %q is ignored", r.shownPath()))
		return nil, false, false
	}
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil || plain == "" || strings.Contains(plain, unread) {
			s.Problem(pos, "", "got a URL that is not a path of the Admin API")
			return nil, false, false
		}
		parts[i] = plain
	}
	return parts, filled, true
}

// address returns the text of an address. Names that the reader of an example has to
// replace are warned of where they name an entity. Variables of the host may be unknown.
// One of too many pieces is empty.
func (s *scriptReader) address(pos config.Position, address shell.Word) (text string, filled bool) {
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
func (s *scriptReader) addressVariable(p shell.Piece, before string) (text string, inPath bool) {
	value, known := s.value(p)
	inPath = strings.Contains(withoutScheme(before), "/")
	switch {
	case known:
		return value, inPath || strings.Contains(withoutScheme(value), "/")
	case inPath && !s.Converting():
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

// readInput puts what the command reads in the place of "@-" in the data.
func (c *curlFlags) readInput(input []shell.Word) {
	if len(input) == 0 {
		return
	}
	for i, d := range c.data {
		if (d.kind == dataPlain || d.kind == dataJSON) && d.word.Plain() == "@-" {
			c.data[i].word = shell.Word{}
			for _, w := range input {
				c.data[i].word.Pieces = append(c.data[i].word.Pieces, w.Pieces...)
			}
			c.data[i].input = true
		}
	}
}

// fromFile reports whether curl reads a piece of a body from a file.
func (d curlData) fromFile() bool {
	text := d.word.Plain()
	name, value, _ := strings.Cut(text, "=")
	switch d.kind {
	case dataPlain, dataJSON:
		return !d.input && strings.HasPrefix(text, "@")
	case dataEncoded:
		return strings.HasPrefix(text, "@") || strings.Contains(name, "@")
	case dataForm:
		return strings.HasPrefix(value, "<") || strings.HasPrefix(value, "@")
	default:
		return false
	}
}

// body returns the body of a request, JSON or a form, or nil where it has a fault.
func (s *scriptReader) body(pos config.Position, parts []string, data []curlData) *tree.Node {
	if slices.ContainsFunc(data, curlData.fromFile) {
		s.Problem(pos, "", "not supported yet: a body from a file")
		return nil
	}
	if isForm(data) {
		return s.form(pos, parts, data)
	}
	var all shell.Word
	for i, d := range data {
		if i > 0 && d.kind != dataJSON {
			all.Pieces = append(all.Pieces, shell.Piece{Text: "&"})
		}
		all.Pieces = append(all.Pieces, d.word.Pieces...)
	}
	doc := s.document(all)
	if doc == nil {
		return nil
	}
	root, faults := doc.ParseJSON()
	s.Add(faults...)
	return root
}
