package scopes_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// signer signs tokens with an algorithm (RFC 7518, section 3; RFC 8037, section 3.1).
type signer struct {
	algorithm string
	key       crypto.Signer
	sign      func(signed []byte) ([]byte, error)
}

// signers are one for each asymmetric algorithm.
func signers(t *testing.T) []signer {
	t.Helper()
	sizes := []struct {
		name  string
		hash  crypto.Hash
		curve elliptic.Curve
	}{{"256", crypto.SHA256, elliptic.P256()}, {"384", crypto.SHA384, elliptic.P384()}, {"512", crypto.SHA512, elliptic.P521()}}
	digest := func(h crypto.Hash, text []byte) []byte {
		w := h.New()
		_, _ = w.Write(text) // a hash takes everything
		return w.Sum(nil)
	}
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	var all []signer
	for _, size := range sizes {
		all = append(all, signer{"RS" + size.name, own, func(s []byte) ([]byte, error) {
			return rsa.SignPKCS1v15(rand.Reader, own, size.hash, digest(size.hash, s))
		}}, signer{"PS" + size.name, own, func(s []byte) ([]byte, error) {
			return rsa.SignPSS(rand.Reader, own, size.hash, digest(size.hash, s), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}})
		point, err := ecdsa.GenerateKey(size.curve, rand.Reader)
		require.NoError(t, err)
		all = append(all, signer{"ES" + size.name, point, func(s []byte) ([]byte, error) {
			r, v, err := ecdsa.Sign(rand.Reader, point, digest(size.hash, s))
			if err != nil {
				return nil, err
			}
			half := (size.curve.Params().BitSize + 7) / 8
			return append(r.FillBytes(make([]byte, half)), v.FillBytes(make([]byte, half))...), nil
		}})
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return append(all, signer{"EdDSA", edwards, func(s []byte) ([]byte, error) { return ed25519.Sign(edwards, s), nil }})
}

// publicPEM is the key that signatures are checked with.
func (s signer) publicPEM(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.key.Public())
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// token is one of an issuer.
func (s signer) token(t *testing.T, issuer string) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(map[string]string{"alg": s.algorithm, "typ": "JWT"}) + "." + part(map[string]string{"iss": issuer})
	signature, err := s.sign([]byte(signed))
	require.NoError(t, err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// TestTokensOfEveryAsymmetricAlgorithm: each is its own consumer's, and one that
// another key has signed authenticates no consumer.
func TestTokensOfEveryAsymmetricAlgorithm(t *testing.T) {
	all := signers(t)
	config := "_format_version: \"3.0\"\nconsumers:\n"
	plugins := "plugins:\n"
	for _, s := range all {
		name := strings.ToLower(s.algorithm)
		config += fmt.Sprintf("- username: %s\n  jwt_secrets: [{key: issuer-%s, algorithm: %s, rsa_public_key: %q}]\n", name, name, s.algorithm, s.publicPEM(t))
		plugins += instance(name, "consumer: "+name)
	}
	openAI := harness.NewStub(t, "openai")
	gateway := start(t, config+plugins, openAI)
	client := harness.NewClient(t, harness.HTTP1)
	ask := func(token string) harness.Answer {
		return gateway.Post(client, harness.Chat("hello"), bearer(token))
	}
	strangers := signers(t)
	for i, s := range all {
		issuer := "issuer-" + strings.ToLower(s.algorithm)
		answer := ask(s.token(t, issuer))
		require.Equal(t, http.StatusOK, answer.Status, "%s: %s", s.algorithm, answer.Body)
		require.Equal(t, "openai/"+strings.ToLower(s.algorithm), answer.Header.Get("X-Kong-Llm-Model"))
		require.Equal(t, http.StatusUnauthorized, ask(strangers[i].token(t, issuer)).Status, s.algorithm)
	}
}
