package provider

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"semlb/wire"
)

// shortestSecret is the length from which a credential is searched for in a payload; a
// shorter one may be a part of ordinary words.
const shortestSecret = 8

// Mask hides the credentials of an attempt, the target's and the client's own, in the
// bodies of its request and its response, for logs of payloads. sent is the request as it
// left for the target. Either body may be cut.
func (t *Target) Mask(sent Client, request, response string) (maskedRequest, maskedResponse string) {
	request, found := t.auth.maskMembers(request)
	for _, name := range t.auth.places.Headers {
		value := sent.header(name)
		_, credential, scheme := strings.Cut(value, " ")
		if !scheme {
			credential = value
		}
		found = append(found, credential)
	}
	for _, name := range t.auth.places.QueryParams {
		found = append(found, queryValue(sent.Query, name))
	}
	found = slices.DeleteFunc(found, func(s string) bool { return len(s) < shortestSecret })
	// The longer of two that begin alike comes first.
	slices.SortFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, secret := range slices.Compact(found) {
		pairs = append(pairs, secret, wire.Redacted)
	}
	replacer := strings.NewReplacer(pairs...)
	return replacer.Replace(request), replacer.Replace(response)
}

// maskMembers hides the members of a body that hold credentials, and returns their texts:
// those of the instance at the top, and texts under well-known names anywhere.
func (au *authorizer) maskMembers(body string) (masked string, found []string) {
	d := jsontext.NewDecoder(strings.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var out strings.Builder
	copied := int64(0)
	for {
		name, err := nextName(d)
		if err != nil {
			out.WriteString(rest(body, copied, d.InputOffset(), err))
			return out.String(), found
		}
		if !au.secretMember(d, name) {
			continue
		}
		after := d.InputOffset()
		value, err := d.ReadValue()
		if err != nil { // the text ends within the value
			out.WriteString(body[copied:after] + `:"` + wire.Redacted + `"`)
			return out.String(), found
		}
		out.WriteString(body[copied:d.InputOffset()-int64(len(value))] + `"` + wire.Redacted + `"`)
		copied = d.InputOffset()
		if value.Kind() == '"' {
			found = append(found, unquote(value))
		}
	}
}

// nextName reads to the name of the next member, at any depth.
func nextName(d *jsontext.Decoder) (string, error) {
	for {
		in, count := d.StackIndex(d.StackDepth())
		token, err := d.ReadToken()
		if err != nil {
			return "", err
		}
		if in == '{' && count%2 == 0 && token.Kind() == '"' {
			return token.String(), nil
		}
	}
}

// secretMember reports whether the value that follows a name is a credential.
func (au *authorizer) secretMember(d *jsontext.Decoder, name string) bool {
	if d.StackDepth() == 1 && slices.Contains(au.places.BodyParams, name) {
		return true
	}
	known := func(param string) bool { return strings.EqualFold(param, name) }
	return d.PeekKind() == '"' && (slices.ContainsFunc(wellKnownParams, known) || wire.IsCredentialHeader(name))
}

// rest is what follows the last member that was hidden. What is not JSON is not shown: it
// may hold a credential in a place that was not recognised.
func rest(body string, copied, read int64, err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return body[copied:]
	}
	return body[copied:max(copied, read)] + wire.Redacted
}
