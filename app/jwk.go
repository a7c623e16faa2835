package app

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
)

// publicKey is a public key as RFC 7518 and RFC 8037 write it.
func publicKey(key any, algorithm string) (map[string]string, error) {
	encode := base64.RawURLEncoding.EncodeToString
	switch k := key.(type) {
	case *rsa.PublicKey:
		return map[string]string{
			"kty": "RSA", "alg": algorithm,
			"n": encode(k.N.Bytes()), "e": encode(big.NewInt(int64(k.E)).Bytes()),
		}, nil
	case *ecdsa.PublicKey:
		point, err := k.Bytes() // 4, x, y
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
