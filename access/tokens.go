package access

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"semlb/config"
)

// tokens authenticate consumers by tokens that are signed with their secrets.
type tokens struct {
	*config.JWT
	challenge string
	secrets   map[string]signer
	parser    *jwt.Parser
}

// signer is a consumer's secret.
type signer struct {
	consumer, algorithm string
	// key is as the algorithm has it; nil if it cannot be used.
	key any
}

// algorithms are those that a secret can be for.
var algorithms = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA",
}

func newTokens(s *config.JWT, consumers []config.Consumer, anonymous string) guard {
	t := tokens{
		JWT: s, challenge: withRealm("Bearer", s.Realm), secrets: make(map[string]signer),
		// The plugin's settings say which claims are verified.
		parser: jwt.NewParser(jwt.WithValidMethods(algorithms), jwt.WithoutClaimsValidation()),
	}
	each(consumers, func(name string, c *config.Consumer) {
		for _, secret := range c.JWTSecrets {
			t.secrets[secret.Key] = signer{name, algorithmOf(secret), keyOf(secret, s.SecretIsBase64)}
		}
	})
	return authentication{anonymous: anonymous, preflight: s.RunOnPreflight, find: t.find}
}

func algorithmOf(secret config.JWTSecret) string {
	if secret.Algorithm == "" {
		return "HS256"
	}
	return secret.Algorithm
}

// keyOf returns the key that checks the signatures of a secret, or nil.
func keyOf(secret config.JWTSecret, isBase64 bool) any {
	if !strings.HasPrefix(algorithmOf(secret), "HS") {
		key, err := secret.PublicKey()
		if err != nil {
			return nil
		}
		return key
	}
	text := secret.Secret.Reveal()
	if !isBase64 {
		return []byte(text)
	}
	// Either alphabet, with or without padding.
	text = strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(text)
	key, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return key
}

func (t tokens) find(r *Request, v *visit) (string, *Refusal) {
	switch found := t.tokensOf(r, v); len(found) {
	case 0:
		return "", unauthorized(CodeNoCredential, "Unauthorized", t.challenge)
	case 1:
		return t.verify(found[0])
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
		for _, token := range r.Query[name] {
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
		add(strings.ToLower(name), token)
	}
	return found
}

// verify returns the consumer of a token.
func (t tokens) verify(text string) (string, *Refusal) {
	claims := jwt.MapClaims{}
	token, parts, err := t.parser.ParseUnverified(text, claims)
	if err != nil {
		return "", t.invalid("Bad token; invalid JSON")
	}
	key, refusal := t.secretOf(claims, token.Header)
	if refusal != nil {
		return "", refusal
	}
	switch signature, err := t.parser.DecodeSegment(parts[2]); {
	case token.Method.Alg() != key.algorithm:
		return "", t.invalid("Invalid algorithm")
	case key.key == nil:
		return "", t.invalid("Invalid key/secret")
	case err != nil || token.Method.Verify(parts[0]+"."+parts[1], signature, key.key) != nil:
		return "", t.invalid("Invalid signature")
	}
	return key.consumer, t.verifyClaims(claims, time.Now())
}

// secretOf returns the secret that a token names, in its claims or else in its header.
func (t tokens) secretOf(claims jwt.MapClaims, header map[string]any) (signer, *Refusal) {
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

// verifyClaims checks the claims that the settings name: they must be there, as numbers.
func (t tokens) verifyClaims(claims jwt.MapClaims, now time.Time) *Refusal {
	seconds := float64(now.UnixMilli()) / 1000
	for _, name := range t.ClaimsToVerify {
		at, ok := claims[name].(float64)
		switch {
		case !ok:
			return t.invalid(name + " must be a number")
		case name == "exp" && at <= seconds:
			return t.invalid("token expired")
		case name == "nbf" && at > seconds:
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
