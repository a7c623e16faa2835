package config

import (
	"net/url"
	"slices"
	"strings"
)

// curlFlags are the flags of one curl command.
type curlFlags struct {
	*flagReader
	method    string
	address   shellWord
	data      []curlData
	get, head bool
}

// curlData is a piece of a request's body.
type curlData struct {
	word shellWord
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
	c.take("request", "X", func(w shellWord) { c.method = w.plain() })
	c.take("url", "", func(w shellWord) { c.address = w })
	for name, kind := range map[string]dataKind{
		"data,d": dataPlain, "data-ascii": dataPlain, "data-binary": dataPlain, "data-raw": dataRaw, "json": dataJSON,
		"data-urlencode": dataEncoded, "form,F": dataForm, "form-string": dataString,
	} {
		name, short, _ := strings.Cut(name, ",")
		c.take(name, short, func(w shellWord) { c.data = append(c.data, curlData{w, kind}) })
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
func (r *scriptReader) curl(pos Position, words []shellWord) {
	if r.curlFlags == nil {
		r.curlFlags = newCurlFlags()
	}
	c := r.curlFlags
	c.method, c.address, c.data, c.get, c.head = "", shellWord{}, nil, false, false
	if rest := c.parse(words); len(rest) > 0 {
		c.address = rest[len(rest)-1]
	}
	if c.method == "" && len(c.data) > 0 && !c.get && !c.head {
		c.method = "POST"
	}
	if !slices.Contains([]string{"POST", "PUT", "PATCH"}, c.method) {
		r.warn(pos, "", "a request that sends nothing is not read")
		return
	}
	parts, ok := r.path(pos, c.address)
	if !ok {
		return
	}
	if body := r.body(pos, parts, c.data); body != nil {
		r.requests = append(r.requests, request{parts, body})
	}
}

// maxPathPieces bounds what an address is made of.
const maxPathPieces = 100

// path returns the parts of an address behind what Konnect has before entities.
func (r *scriptReader) path(pos Position, address shellWord) ([]string, bool) {
	text := ""
	if len(address.pieces) <= maxPathPieces {
		for _, p := range address.pieces {
			inPath := strings.HasSuffix(p.text, "Id") && !strings.Contains(text, "control-planes") || strings.Contains(text, "core-entities")
			switch {
			case p.placeholder && inPath:
				r.warn(pos, "", "put the name or the id in the place of {"+limited(p.text)+"}")
				text += url.PathEscape(p.text)
			case p.unread:
				text += unset
			default:
				text += p.text
			}
		}
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
		if err != nil || plain == "" || strings.Contains(plain, unset) {
			r.problem(pos, "", "got an address that is no path of the Admin API")
			return nil, false
		}
		parts[i] = plain
	}
	return parts, true
}

// body returns the body of a request: JSON, or a form.
func (r *scriptReader) body(pos Position, parts []string, data []curlData) *node {
	for _, d := range data {
		text := d.word.plain()
		name, _, _ := strings.Cut(text, "=")
		value := strings.TrimPrefix(strings.TrimPrefix(text, name), "=")
		fromFile := strings.HasPrefix(text, "@") && d.kind < dataForm && d.kind != dataRaw ||
			d.kind == dataEncoded && strings.Contains(name, "@") ||
			d.kind == dataForm && strings.HasPrefix(strings.TrimPrefix(value, "<"), "@") || d.kind == dataForm && strings.HasPrefix(value, "<")
		if fromFile {
			r.problem(pos, "", "not supported yet: a body from a file")
			return nil
		}
	}
	if isForm(data) {
		return r.form(pos, parts, data)
	}
	var all shellWord
	for i, d := range data {
		if i > 0 && d.kind != dataJSON {
			all.pieces = append(all.pieces, shellPiece{text: "&"})
		}
		all.pieces = append(all.pieces, d.word.pieces...)
	}
	doc := r.document(all)
	if doc == nil {
		return nil
	}
	tree, err := parseJSON(doc)
	if err != nil {
		r.add(jsonFault(doc, err))
		return nil
	}
	return tree
}
