package access

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"semlb/config"
)

// credentials are those of all consumers, by what requests have of them.
type credentials struct {
	// keys have the consumers' names.
	keys  map[digest]string
	users map[string]user
	// secrets are by the issuers of tokens.
	secrets map[string]signer
}

// user is the consumer of a user name.
type user struct {
	consumer string
	password digest
}

// signer is a consumer's secret for tokens.
type signer struct {
	consumer, algorithm string
	// key is as the algorithm has it, and decoded the same of a secret that is base64; nil
	// if it cannot be used.
	key, decoded any
}

// digest stands for a credential: comparing digests takes the same time however much of a
// credential is right.
type digest [sha256.Size]byte

func digestOf(text string) digest { return sha256.Sum256([]byte(text)) }

func newCredentials(consumers []config.Consumer) *credentials {
	c := &credentials{keys: make(map[digest]string), users: make(map[string]user), secrets: make(map[string]signer)}
	for i := range consumers {
		consumer := &consumers[i]
		name := consumer.Called()
		for _, k := range consumer.KeyAuth {
			c.keys[digestOf(k.Key.Reveal())] = name
		}
		for _, b := range consumer.BasicAuth {
			c.users[b.Username] = user{name, digestOf(b.Password.Reveal())}
		}
		for _, s := range consumer.JWTSecrets {
			c.secrets[s.Key] = newSigner(name, s)
		}
	}
	return c
}

func newSigner(consumer string, s config.JWTSecret) signer {
	made := signer{consumer: consumer, algorithm: s.Algorithm}
	if made.algorithm == "" {
		made.algorithm = "HS256"
	}
	if strings.HasPrefix(made.algorithm, "HS") {
		text := s.Secret.Reveal()
		made.key = []byte(text)
		// Either alphabet, with or without padding.
		text = strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(text)
		if key, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(key) > 0 {
			made.decoded = key
		}
		return made
	}
	if key, err := s.PublicKey(); err == nil { // which was checked
		made.key, made.decoded = key, key
	}
	return made
}
