package gateway

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"

	"semlb/config"
)

var errNoSecretsDir = errors.New("give --secrets-dir DIR, a directory that semlb may write and Envoy may read")

// writeKeySet writes the JSON Web Key Set of a token secret and returns its path. The
// file is named after its content: Envoy reads a changed secret because its path is new.
func writeKeySet(dir string, j config.JWTSecret) (string, error) {
	if dir == "" {
		return "", errNoSecretsDir
	}
	key, err := jsonWebKey(j)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"keys": []any{key}})
	if err != nil {
		return "", fmt.Errorf("write key set: %w", err)
	}
	sum := sha256.Sum256(text)
	file := filepath.Join(dir, "jwks-"+hex.EncodeToString(sum[:8])+".json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return "", fmt.Errorf("write key set: %w", err)
	}
	return file, nil
}

// jsonWebKey is a secret in the form of RFC 7517.
func jsonWebKey(j config.JWTSecret) (map[string]string, error) {
	switch j.Algorithm {
	case "", "HS256", "HS384", "HS512":
		return map[string]string{
			"kty": "oct", "alg": cmp.Or(j.Algorithm, "HS256"),
			"k": base64.RawURLEncoding.EncodeToString([]byte(j.Secret.Reveal())),
		}, nil
	}
	public, err := j.PublicKey()
	if err != nil {
		return nil, err
	}
	return publicKey(public, j.Algorithm)
}

// publicKey is a public key in the form of RFC 7518 and RFC 8037.
func publicKey(key any, algorithm string) (map[string]string, error) {
	encode := base64.RawURLEncoding.EncodeToString
	switch k := key.(type) {
	case *rsa.PublicKey:
		return map[string]string{
			"kty": "RSA", "alg": algorithm,
			"n": encode(k.N.Bytes()), "e": encode(big.NewInt(int64(k.E)).Bytes()),
		}, nil
	case *ecdsa.PublicKey:
		point, err := k.Bytes() // uncompressed: 4, x, y
		if err != nil {
			return nil, fmt.Errorf("rsa_public_key: %w", err)
		}
		half := (len(point) - 1) / 2
		return map[string]string{
			"kty": "EC", "alg": algorithm, "crv": k.Curve.Params().Name,
			"x": encode(point[1 : 1+half]), "y": encode(point[1+half:]),
		}, nil
	case ed25519.PublicKey:
		return map[string]string{"kty": "OKP", "alg": "EdDSA", "crv": "Ed25519", "x": encode(k)}, nil
	default:
		return nil, fmt.Errorf("rsa_public_key: got a %T, want RSA, EC or Ed25519", key)
	}
}
