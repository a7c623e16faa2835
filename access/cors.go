package access

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"semlb/config"
)

// Header is a header of an answer.
type Header struct{ Name, Value string }

// cors tells browsers what pages of other origins may do.
type cors struct {
	*config.CORS
	// any is set where every origin may read answers.
	any      bool
	patterns []origin
	// single is the one origin of the settings, if it is no regular expression.
	single string
}

// origin is an allowed one.
type origin struct {
	exact   string
	pattern *regexp.Regexp
	// host patterns match the host of an origin, not the whole.
	host bool
}

// flat matches what is an origin and no regular expression.
var flat = regexp.MustCompile(`^[A-Za-z0-9.:/-]+$`)

func newCORS(s *config.CORS) cors {
	c := cors{CORS: s, any: len(s.Origins) == 0 || slices.Contains(s.Origins, "*")}
	if len(s.Origins) == 1 && flat.MatchString(s.Origins[0]) {
		c.single = s.Origins[0]
	}
	for _, text := range s.Origins {
		if flat.MatchString(text) {
			c.patterns = append(c.patterns, origin{exact: normal(text)})
			continue
		}
		pattern, err := regexp.Compile(`^(?:` + strings.TrimSuffix(strings.TrimPrefix(text, "^"), "$") + `)$`)
		if err == nil { // which was checked
			c.patterns = append(c.patterns, origin{pattern: pattern, host: !strings.Contains(text, ":")})
		}
	}
	return c
}

// normal returns an origin without the port that its scheme has anyway.
func normal(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return text
	}
	host := u.Host
	switch u.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + host
}

// allows reports whether an origin is one of the settings.
func (c cors) allows(text string) bool {
	text = normal(text)
	host := text
	if u, err := url.Parse(text); err == nil {
		host = u.Hostname()
	}
	return slices.ContainsFunc(c.patterns, func(o origin) bool {
		switch {
		case o.pattern == nil:
			return o.exact == text
		case o.host:
			return o.pattern.MatchString(host)
		default:
			return o.pattern.MatchString(text)
		}
	})
}

// headers are those of any answer to a request.
func (c cors) headers(r *Request) []Header {
	from := first(r.Header("origin"))
	if from == "" && !c.AllowOriginAbsent {
		return nil
	}
	headers := c.origin(from)
	if len(c.ExposedHeaders) > 0 {
		headers = append(headers, Header{"access-control-expose-headers", strings.Join(c.ExposedHeaders, ",")})
	}
	return headers
}

// origin says whether a page of an origin may read the answer.
func (c cors) origin(from string) []Header {
	credentials := Header{"access-control-allow-credentials", "true"}
	vary := Header{"vary", "Origin"}
	switch {
	case c.any && c.Credentials && from != "":
		return []Header{{"access-control-allow-origin", from}, credentials, vary}
	case c.any:
		return []Header{{"access-control-allow-origin", "*"}}
	}
	headers := []Header{vary}
	switch {
	case c.single != "":
		headers = append(headers, Header{"access-control-allow-origin", c.single})
	case from != "" && c.allows(from):
		headers = append(headers, Header{"access-control-allow-origin", normal(from)})
	}
	if c.Credentials {
		headers = append(headers, credentials)
	}
	return headers
}

// IsPreflight reports whether a request is a CORS preflight.
func (r *Request) IsPreflight() bool {
	return r.Method == http.MethodOptions && first(r.Header("origin")) != "" && first(r.Header("access-control-request-method")) != ""
}

// answer is the answer to a preflight.
func (c cors) answer(r *Request) *Refusal {
	headers := c.origin(first(r.Header("origin")))
	if len(c.Headers) > 0 {
		headers = append(headers, Header{"access-control-allow-headers", strings.Join(c.Headers, ",")})
	} else if asked := first(r.Header("access-control-request-headers")); asked != "" {
		headers = append(headers, Header{"access-control-allow-headers", asked})
	}
	headers = append(headers, Header{"access-control-allow-methods", strings.Join(c.Methods, ",")})
	if c.MaxAge != nil {
		headers = append(headers, Header{"access-control-max-age", strconv.FormatFloat(*c.MaxAge, 'f', -1, 64)})
	}
	if c.PrivateNetwork && first(r.Header("access-control-request-private-network")) == "true" {
		headers = append(headers, Header{"access-control-allow-private-network", "true"})
	}
	return &Refusal{Status: http.StatusOK, Code: CodePreflight, Headers: headers, Body: []byte{}}
}

// check answers a preflight, and notes the headers of answers to other requests.
func (c cors) check(r *Request, v *visit) *Refusal {
	if r.IsPreflight() {
		return c.answer(r)
	}
	v.Headers = c.headers(r)
	return nil
}
