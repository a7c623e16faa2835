package script

import (
	"net/http"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/script/shell"
	"semlb/config/tree"
)

// curlFlags are the flags of one curl command.
type curlFlags struct {
	*flagReader
	method    shell.Word
	address   shell.Word
	data      []curlData
	get, head bool
	// upload is set for --upload-file, whose file is in the data.
	upload bool
	// config is set for --config: the file may have any flags.
	config bool
}

func newCurlFlags() *curlFlags {
	c := &curlFlags{flagReader: newFlagReader("curl")}
	c.take("request", "X", func(w shell.Word) { c.method = w })
	c.take("url", "", func(w shell.Word) { c.address = w })
	for name, kind := range map[string]dataKind{
		"data,d": dataPlain, "data-ascii": dataPlain, "data-binary": dataPlain, "data-raw": dataRaw, "json": dataJSON,
		"data-urlencode": dataEncoded, "form,F": dataForm, "form-string": dataString,
	} {
		name, short, _ := strings.Cut(name, ",")
		c.take(name, short, func(w shell.Word) { c.data = append(c.data, curlData{word: w, kind: kind}) })
	}
	c.take("config", "K", func(shell.Word) { c.config = true })
	c.take("upload-file", "T", func(w shell.Word) {
		c.upload, c.data = true, append(c.data, curlData{word: shell.Word{Pieces: append([]shell.Piece{{Text: "@"}}, w.Pieces...)}})
	})
	c.set.BoolVarP(&c.get, "get", "G", false, "")
	c.set.BoolVarP(&c.head, "head", "I", false, "")
	c.ignore(
		"user-agent,A", "cookie,b", "cookie-jar,c", "continue-at,C", "dump-header,D", "referer,e", "cert,E", "header,H",
		"max-time,m", "output,o", "ftp-port,P", "quote,Q", "range,r", "telnet-option,t",
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

// curlReader reads the curl commands of a script.
type curlReader struct{ *scriptReader }

// curl notes the requests of a curl command: those of each part between --next.
func (s curlReader) curl(pos config.Position, words []shell.Word, input shell.Word) {
	for {
		next := slices.IndexFunc(words, func(w shell.Word) bool { return w.Plain() == "--next" || w.Plain() == "-:" })
		if next < 0 {
			s.curlPart(pos, words, input)
			return
		}
		s.curlPart(pos, words[:next], input)
		words = words[next+1:]
	}
}

// curlPart notes the requests that one set of flags makes.
func (s curlReader) curlPart(pos config.Position, words []shell.Word, input shell.Word) {
	c := s.curlFlags
	*c = curlFlags{flagReader: c.flagReader}
	addresses := c.parse(words)
	if len(c.address.Pieces) > 0 {
		addresses = append(addresses, c.address)
	}
	if c.config || slices.ContainsFunc(words, func(w shell.Word) bool { return strings.HasPrefix(w.Plain(), "--expand-") }) {
		s.Problem(pos, "", "not supported yet: curl's --config and --expand-…")
		return
	}
	s.readFiles(input)
	method := s.method()
	if open := slices.ContainsFunc(addresses, s.isOpen); open && method == "" && !c.get && !c.head && s.namesAdminAPI(s.textOf(words)) {
		s.Problem(pos, "", "not supported yet: arguments of curl that only a shell knows: write them out")
		return
	}
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return // it changes nothing
	}
	made := false
	for i, address := range addresses {
		if last := i == len(addresses)-1; s.request(pos, method, address, words, made || !last) {
			made = true
		}
	}
}

// method returns the method of the requests of a curl command; "" for that of a command
// that sends nothing.
func (s curlReader) method() string {
	c := s.curlFlags
	method, _ := s.plain(c.method)
	switch {
	case method != "" || c.get || c.head:
		return method
	case c.upload:
		return http.MethodPut
	case len(c.data) > 0:
		return http.MethodPost
	default:
		return ""
	}
}

// request notes a request, unless it is ignored, and reports whether it is read. An
// argument that may be the value of an unknown flag is no address, unless one can see that.
func (s curlReader) request(pos config.Position, method string, address shell.Word, words []shell.Word, unsure bool) bool {
	r := request{method: method, conditional: s.conditional, pos: pos, body: &tree.Node{Kind: tree.Object, Pos: pos}}
	a, ok := s.path(pos, address)
	switch {
	case !ok:
		return true // a fault
	case !(request{parts: a.parts}).isRead():
		if !unsure {
			s.ignoredRequest(pos, a, words)
		}
		return false
	}
	r.parts, r.filled = a.parts, a.filled
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		s.Problem(pos, "", "got a method that the Admin API does not have, want POST, PUT, PATCH or DELETE in capital letters")
		return true
	}
	if method != http.MethodDelete {
		if r.body = s.body(pos, r.parts, s.curlFlags.data); r.body == nil {
			return true
		}
		r.body = r.body.AsArgument()
	}
	s.requests = append(s.requests, r)
	return true
}
