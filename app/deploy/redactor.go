package deploy

import (
	"slices"
	"sync"

	"semlb/config"
	"semlb/wire"
)

// LogRedactor removes credentials from what Envoy logs and from its reasons for a
// refusal: it may quote the configuration that it received. The zero value redacts
// nothing.
type LogRedactor struct {
	mu sync.Mutex
	// generations are the credentials of the last configurations, newest last.
	generations [][]wire.Secret
	// redactor is that of generations; nil until it is needed.
	redactor *config.Redactor
}

// maxGenerations is the number of configurations that Envoy may still quote. The one in
// force is among the last two: a refused one is followed by it.
const maxGenerations = 64

// addSecrets adds the credentials of a configuration that Envoy is about to receive.
func (r *LogRedactor) addSecrets(secrets []wire.Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generations = append(r.generations, secrets)
	if n := len(r.generations) - maxGenerations; n > 0 {
		r.generations = slices.Clone(r.generations[n:])
	}
	r.redactor = nil
}

// Redact removes the credentials from text.
func (r *LogRedactor) Redact(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.redactor == nil {
		r.redactor = config.NewRedactor(slices.Concat(r.generations...))
	}
	return r.redactor.Redact(text)
}
