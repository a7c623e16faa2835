package script

import (
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
		c.take(name, short, func(w shell.Word) { c.data = append(c.data, curlData{w, kind}) })
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
func (s *scriptReader) curl(pos config.Position, words []shell.Word) {
	c := s.curlFlags
	c.method, c.address, c.data, c.get, c.head = "", shell.Word{}, nil, false, false
	if rest := c.parse(words); len(rest) > 0 {
		c.address = rest[len(rest)-1]
	}
	if c.method == "" && len(c.data) > 0 && !c.get && !c.head {
		c.method = "POST"
	}
	if !slices.Contains([]string{"POST", "PUT", "PATCH"}, c.method) {
		s.Warn(pos, "", "a request without data is ignored")
		return
	}
	parts, ok := s.path(pos, c.address)
	if !ok {
		return
	}
	if body := s.body(pos, parts, c.data); body != nil {
		s.requests = append(s.requests, request{parts, body.AsArgument()})
	}
}

// maxPathPieces bounds what an address is made of.
const maxPathPieces = 100

// unread stands in an address for what only a shell knows.
const unread = "\x00"

// path returns the parts of the path of an address, behind what Konnect has before
// entities.
func (s *scriptReader) path(pos config.Position, address shell.Word) ([]string, bool) {
	text := s.address(pos, address)
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
		if err != nil || plain == "" || strings.Contains(plain, unread) {
			s.Problem(pos, "", "got a URL that is not a path of the Admin API")
			return nil, false
		}
		parts[i] = plain
	}
	return parts, true
}

// address returns the text of an address. Names that the reader of an example has to
// replace are warned of where they name an entity. One of too many pieces is empty.
func (s *scriptReader) address(pos config.Position, address shell.Word) string {
	if len(address.Pieces) > maxPathPieces {
		return ""
	}
	text := ""
	for _, p := range address.Pieces {
		inPath := strings.HasSuffix(p.Text, "Id") && !strings.Contains(text, "control-planes") || strings.Contains(text, "core-entities")
		switch {
		case p.Placeholder && inPath:
			s.Warn(pos, "", "replace {"+report.Shorten(p.Text)+"} by a name or an id")
			text += url.PathEscape(p.Text)
		case p.Unread:
			text += unread
		default:
			text += p.Text
		}
	}
	return text
}

// fromFile reports whether curl reads a piece of a body from a file.
func (d curlData) fromFile() bool {
	text := d.word.Plain()
	name, value, _ := strings.Cut(text, "=")
	switch d.kind {
	case dataPlain, dataJSON:
		return strings.HasPrefix(text, "@")
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
