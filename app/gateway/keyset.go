package gateway

import (
	"bytes"
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
	"strings"

	"semlb/config"
)

var errNoSecretsDir = errors.New("give --secrets-dir DIR, a directory that semlb may write and Envoy may read")

// writeKeySet writes the JSON Web Key Set of a token secret and returns its path.
func writeKeySet(dir string, j config.JWTSecret) (string, error) {
	if dir == "" {
		return "", errNoSecretsDir
	}
	name, text, err := keySet(j)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, name)
	if there, err := os.ReadFile(file); err == nil && bytes.Equal(there, text) {
		return file, nil
	}
	if err := replaceFile(file, text); err != nil {
		return "", fmt.Errorf("write key set: %w", err)
	}
	return file, nil
}

// The names of files in SecretsDir: those of key sets, and of key sets being written.
const (
	keySetFiles    = "jwks-*.json"
	unfinishedSets = ".jwks-*"
)

// keySet is the key set of a token secret, and the name of its file. It is named after its
// content: Envoy reads a changed secret because its path is new.
func keySet(j config.JWTSecret) (name string, text []byte, err error) {
	key, err := jsonWebKey(j)
	if err != nil {
		return "", nil, err
	}
	if text, err = json.Marshal(map[string]any{"keys": []any{key}}); err != nil {
		return "", nil, fmt.Errorf("make key set: %w", err)
	}
	sum := sha256.Sum256(text)
	return strings.Replace(keySetFiles, "*", hex.EncodeToString(sum[:8]), 1), text, nil
}

// replaceFile writes a file that only its owner may read. Envoy, which may read it at any
// time, sees all of it or nothing.
func replaceFile(file string, text []byte) (err error) {
	temporary, err := os.CreateTemp(filepath.Dir(file), unfinishedSets)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temporary.Name()))
		}
	}()
	_, err = temporary.Write(text)
	if err = errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}

// Sweep removes the key sets from SecretsDir that cfg does not name. It is called when
// every Envoy has taken cfg.
func (o Options) Sweep(cfg *config.Config) error {
	if o.SecretsDir == "" {
		return nil
	}
	named := make(map[string]bool)
	for _, consumer := range cfg.Consumers {
		for _, j := range consumer.JWTSecrets {
			name, _, err := keySet(j)
			if err != nil {
				return err
			}
			named[name] = true
		}
	}
	entries, err := os.ReadDir(o.SecretsDir)
	if err != nil {
		return fmt.Errorf("find key sets: %w", err)
	}
	var faults []error
	for _, entry := range entries {
		if isKeySet(entry.Name()) && !named[entry.Name()] {
			faults = append(faults, os.Remove(filepath.Join(o.SecretsDir, entry.Name())))
		}
	}
	return errors.Join(faults...)
}

// isKeySet reports whether a file of SecretsDir is one of ours.
func isKeySet(name string) bool {
	for _, pattern := range []string{keySetFiles, unfinishedSets} {
		if ours, err := filepath.Match(pattern, name); err == nil && ours {
			return true
		}
	}
	return false
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
