package app

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"semlb/config"
	"semlb/envoy"
	"semlb/envoy/parts"
	"semlb/wire"
)

// routesOf are the routes of a configuration, as Envoy matches them: without any,
// everything is served. Those of a service that is switched off are left out, so that
// their requests go to the next route that takes them, or to none.
func routesOf(cfg *config.Config) []parts.Route {
	if len(cfg.Routes) == 0 {
		return []parts.Route{{}}
	}
	off := disabled(cfg.Services)
	var routes []parts.Route
	for i := range cfg.Routes {
		r := &cfg.Routes[i]
		if off[r.Service] {
			continue
		}
		routes = append(routes, parts.Route{
			Name:            firstNonEmpty(r.Name, r.ID),
			Hosts:           r.Hosts,
			Paths:           r.Paths,
			Methods:         r.Methods,
			Headers:         r.Headers,
			RegexPriority:   r.RegexPriority,
			PlainHTTPStatus: plainHTTPStatus(r),
		})
	}
	return routes
}

// disabled are the names and ids of the services that are switched off.
func disabled(services []config.Service) map[string]bool {
	off := make(map[string]bool)
	for _, s := range services {
		for _, name := range []string{s.Name, s.ID} {
			if name != "" && !s.Enabled {
				off[name] = true
			}
		}
	}
	return off
}

// plainHTTPStatus is what a request without TLS is answered; 0 where the route takes
// it.
func plainHTTPStatus(r *config.Route) int {
	if slices.Contains(r.Protocols, "http") {
		return 0
	}
	return r.RedirectStatus
}

// credentialsOf are the credentials of a configuration's consumers. Token secrets
// go to files of dir, which Envoy has to be able to read.
func credentialsOf(cfg *config.Config, dir string) (parts.Credentials, error) {
	var c parts.Credentials
	for i := range cfg.Consumers {
		consumer := &cfg.Consumers[i]
		for _, k := range consumer.KeyAuth {
			c.APIKeys = append(c.APIKeys, parts.APIKey{Consumer: consumerName(consumer), Key: wire.NewSecret(k.Key.Reveal())})
		}
		for _, b := range consumer.BasicAuth {
			c.Users = append(c.Users, parts.User{Name: b.Username, Password: wire.NewSecret(b.Password.Reveal())})
		}
		for _, j := range consumer.JWTSecrets {
			file, err := writeKeySet(dir, j)
			if err != nil {
				return c, fmt.Errorf("jwt secret of consumer %s: %w", consumerName(consumer), err)
			}
			c.Issuers = append(c.Issuers, parts.Issuer{Name: j.Key, KeySetFile: file})
		}
	}
	return c, nil
}

// consumerName is what an instance's scope and a credential call a consumer.
func consumerName(c *config.Consumer) string { return firstNonEmpty(c.Username, c.ID, c.CustomID) }

func firstNonEmpty(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}

// identifier finds the consumer of a request from what Envoy forwarded of its
// credential.
func identifier(cfg *config.Config) func(header func(string) string) string {
	users, issuers := make(map[string]string), make(map[string]string)
	for i := range cfg.Consumers {
		c := &cfg.Consumers[i]
		for _, b := range c.BasicAuth {
			users[b.Username] = consumerName(c)
		}
		for _, j := range c.JWTSecrets {
			issuers[j.Key] = consumerName(c)
		}
	}
	return func(header func(string) string) string {
		if consumer := header(envoy.HeaderConsumer); consumer != "" {
			return consumer
		}
		if consumer := users[header(envoy.HeaderBasicUser)]; consumer != "" {
			return consumer
		}
		return issuers[header(envoy.HeaderIssuer)]
	}
}

var errNoSecretsDir = errors.New("give --secrets-dir DIR, a directory that semlb may write and Envoy may read")

// writeKeySet writes the JSON Web Key Set of a secret. The file is named after its
// content, so that a change is a new file, which Envoy then reads.
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

// jsonWebKey is a secret as RFC 7517 writes it.
func jsonWebKey(j config.JWTSecret) (map[string]string, error) {
	switch j.Algorithm {
	case "", "HS256", "HS384", "HS512":
		return map[string]string{
			"kty": "oct", "alg": firstNonEmpty(j.Algorithm, "HS256"),
			"k": base64.RawURLEncoding.EncodeToString([]byte(j.Secret.Reveal())),
		}, nil
	}
	public, err := j.PublicKey()
	if err != nil {
		return nil, err
	}
	return publicKey(public, j.Algorithm)
}
