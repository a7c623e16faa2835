package access

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"semlb/config"
)

// tokens authenticate consumers by tokens that are signed with their secrets. A token is
// no longer than the head of a request may be.
type tokens struct {
	*config.JWT
	*credentials
	challenge string
	// optional is set where no plugin requires a token. A bearer token that is no JWT is then
	// the client's own for a provider, and a token may lack ClaimsToVerify.
	optional bool
	// leeway is how far the clocks of issuers may be off, in seconds.
	leeway float64
}

func newTokens(s *config.JWT, known *credentials) tokens {
	return tokens{JWT: s, credentials: known, challenge: withRealm("Bearer", s.Realm)}
}

// optionalTokens are where Kong looks by default, and verifies what tokens have.
var optionalTokens = &config.JWT{
	Params: []string{"jwt"}, Headers: []string{authorization}, KeyClaim: "iss", ClaimsToVerify: []string{"exp", "nbf"},
}

func newOptionalTokens(known *credentials) tokens {
	t := newTokens(optionalTokens, known)
	t.optional, t.leeway = true, 60
	return t
}

// parser reads tokens. What is verified is up to the secrets and the settings.
var parser = jwt.NewParser()

// shapeOfJWT matches what may be a signed token (RFC 7515, section 3.1).
var shapeOfJWT = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$`)

func (t tokens) find(r *Request, v *visit) (string, *Refusal) {
	switch found := t.tokensOf(r, v); len(found) {
	case 0:
		return "", unauthorized(CodeNoCredential, "Unauthorized", t.challenge)
	case 1:
		return t.verify(found[0], v.gate.now())
	default:
		return "", t.invalid("Multiple tokens provided")
	}
}

// tokensOf returns the different tokens of a request.
func (t tokens) tokensOf(r *Request, v *visit) []string {
	var found []string
	add := func(place, token string) {
		if token == "" {
			return
		}
		v.spend(place)
		if !slices.Contains(found, token) {
			found = append(found, token)
		}
	}
	for _, name := range t.Params {
		for _, token := range v.query(r)[name] {
			add(strings.ToLower(name), token)
		}
	}
	if len(t.Cookies) > 0 {
		head := http.Request{Header: http.Header{"Cookie": r.Header("cookie")}}
		for _, name := range t.Cookies {
			for _, cookie := range head.CookiesNamed(name) {
				add("cookie", cookie.Value)
			}
		}
	}
	for _, name := range t.Headers {
		token, _ := bearer(first(r.Header(strings.ToLower(name))))
		if t.optional && !shapeOfJWT.MatchString(token) {
			continue
		}
		add(strings.ToLower(name), token)
	}
	return found
}

// verify returns the consumer of a token. Expiry is a time of the day: it is by the wall clock.
func (t tokens) verify(text string, now time.Time) (string, *Refusal) {
	claims := jwt.MapClaims{}
	token, parts, err := parser.ParseUnverified(text, claims)
	if err != nil {
		return "", t.invalid("Bad token; invalid JSON")
	}
	from, refusal := t.signerOf(claims, token.Header)
	if refusal != nil {
		return "", refusal
	}
	key := from.key
	if t.SecretIsBase64 {
		key = from.decoded
	}
	switch signature, err := parser.DecodeSegment(parts[2]); {
	case token.Method.Alg() != from.algorithm:
		return "", t.invalid("Invalid algorithm")
	case key == nil:
		return "", t.invalid("Invalid key/secret")
	case err != nil || token.Method.Verify(parts[0]+"."+parts[1], signature, key) != nil:
		return "", t.invalid("Invalid signature")
	}
	return from.consumer, t.verifyClaims(claims, now)
}

// signerOf returns the secret that a token names, in its claims or else in its header.
func (t tokens) signerOf(claims jwt.MapClaims, header map[string]any) (signer, *Refusal) {
	value, ok := claims[t.KeyClaim]
	if !ok {
		value, ok = header[t.KeyClaim]
	}
	if !ok {
		return signer{}, t.invalid(fmt.Sprintf("No mandatory '%s' in claims", t.KeyClaim))
	}
	name, _ := value.(string)
	if name == "" {
		return signer{}, t.invalid(fmt.Sprintf("Invalid '%s' in claims", t.KeyClaim))
	}
	found, ok := t.secrets[name]
	if !ok {
		return signer{}, t.invalid(fmt.Sprintf("No credentials found for given '%s'", t.KeyClaim))
	}
	return found, nil
}

// verifyClaims checks the claims that the settings name: they must be numbers, and there
// unless the token is optional.
func (t tokens) verifyClaims(claims jwt.MapClaims, now time.Time) *Refusal {
	seconds := float64(now.UnixMilli()) / 1000
	for _, name := range t.ClaimsToVerify {
		value, found := claims[name]
		at, ok := value.(float64)
		switch {
		case !found && t.optional:
		case !ok:
			return t.invalid(name + " must be a number")
		case name == "exp" && at+t.leeway <= seconds:
			return t.invalid("token expired")
		case name == "nbf" && at-t.leeway > seconds:
			return t.invalid("token not valid yet")
		}
	}
	if exp, _ := claims["exp"].(float64); t.MaximumExpiration > 0 && exp-seconds > t.MaximumExpiration {
		return t.invalid("exp exceeds maximum allowed expiration")
	}
	return nil
}

// invalid refuses a token.
func (t tokens) invalid(message string) *Refusal {
	separator := " "
	if t.Realm != "" {
		separator = ", "
	}
	return unauthorized(CodeInvalidCredential, message, t.challenge+separator+`error="invalid_token"`)
}
