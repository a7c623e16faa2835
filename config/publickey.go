package config

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
)

// PublicKey is what signatures of an asymmetric algorithm are checked with, of the kind
// that the algorithm has (RFC 7518, section 3.1; RFC 8037, section 3.1): an
// [*rsa.PublicKey], an [*ecdsa.PublicKey] or an [ed25519.PublicKey]. A configuration
// that was loaded has no other.
func (j JWTSecret) PublicKey() (crypto.PublicKey, error) {
	key, got := parsePublicKey(j.RSAPublicKey)
	if want := KeyKindFor(j.Algorithm); got != want {
		return nil, fmt.Errorf("rsa_public_key: got %s, want %s", got, want)
	}
	return key, nil
}

// KeyKind returns the kind of public key that a text is, such as "an RSA public key", or
// what it is instead. It quotes nothing.
func KeyKind(text string) string {
	_, kind := parsePublicKey(text)
	return kind
}

// parsePublicKey reads PEM, as `openssl pkey -pubout` or OpenSSL's older
// `openssl rsa -RSAPublicKey_out` write it, and returns the key's kind.
func parsePublicKey(text string) (key crypto.PublicKey, kind string) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, "text that is not PEM"
	}
	if strings.Contains(block.Type, "PRIVATE KEY") {
		return nil, "a private key"
	}
	var err error
	if block.Type == "RSA PUBLIC KEY" {
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	} else {
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	}
	if err != nil {
		return nil, "PEM that is no public key"
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		return key, rsaKey
	case *ecdsa.PublicKey:
		return key, ecKey + k.Curve.Params().Name
	case ed25519.PublicKey:
		return key, edKey
	default:
		return nil, "a public key of another kind"
	}
}

// Kinds of public keys.
const (
	rsaKey = "an RSA public key"
	ecKey  = "a public key on the curve "
	edKey  = "an Ed25519 public key"
)

// KeyKindFor returns the kind of public key that checks signatures of an asymmetric
// algorithm.
func KeyKindFor(algorithm string) string {
	switch algorithm {
	case "ES256":
		return ecKey + "P-256"
	case "ES384":
		return ecKey + "P-384"
	case "ES512":
		return ecKey + "P-521"
	case "EdDSA":
		return edKey
	default:
		return rsaKey
	}
}
