package deploy

import (
	"maps"
	"sync"

	"semlb/config"
	"semlb/wire"
)

// LogRedactor removes credentials from what Envoy logs and from its reasons for a
// refusal: it may quote the configuration that it received. The zero value redacts
// nothing.
type LogRedactor struct {
	mu sync.Mutex
	// sent counts the configurations that Envoy was sent, and secrets are the credentials of
	// the last ones, by their values.
	sent    int
	secrets map[string]sentSecret
	// redactor is that of secrets; nil until it is needed.
	redactor *config.Redactor
}

// sentSecret is a credential, and the last configuration that had it.
type sentSecret struct {
	wire.Secret
	last int
}

// maxGenerations is the number of configurations that Envoy may still quote. The one in
// force is among the last two: a refused one is followed by it.
const maxGenerations = 64

// addSecrets adds the credentials of a configuration that Envoy is about to receive.
func (r *LogRedactor) addSecrets(secrets []wire.Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent++
	if r.secrets == nil {
		r.secrets = make(map[string]sentSecret)
	}
	for _, s := range secrets {
		if before, ok := r.secrets[s.Reveal()]; ok {
			s = before.Secret // the value is kept once
		}
		r.secrets[s.Reveal()] = sentSecret{s, r.sent}
	}
	maps.DeleteFunc(r.secrets, func(_ string, s sentSecret) bool { return s.last <= r.sent-maxGenerations })
	r.redactor = nil
}

// Redact removes the credentials from text.
func (r *LogRedactor) Redact(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.redactor == nil {
		all := make([]wire.Secret, 0, len(r.secrets))
		for _, s := range r.secrets {
			all = append(all, s.Secret)
		}
		r.redactor = config.NewRedactor(all)
	}
	return r.redactor.Redact(text)
}
