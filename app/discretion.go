package app

import (
	"slices"
	"sync"

	"semlb/config"
	"semlb/envoy/parts"
)

// discretion keeps credentials out of what Envoy says: it may quote the
// configuration it was told, in a refusal or in a line of its log.
type discretion struct {
	mu sync.Mutex
	// told are the credentials of the configurations that Envoy was told last.
	told [][]config.Secret
	// redactor is that of told; nil until something is said.
	redactor *config.Redactor
}

// remembered is of how many configurations Envoy may still say something. The one in
// force is among the last two it was told: one that is refused is followed by it.
const remembered = 64

// tell notes credentials that Envoy is about to be told.
func (d *discretion) tell(secrets []config.Secret) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, secrets)
	if len(d.told) > remembered {
		d.told = slices.Clone(d.told[len(d.told)-remembered:])
	}
	d.redactor = nil
}

// secretsOf are the credentials of a configuration, as it has them and as Envoy is
// told them.
func secretsOf(cfg *config.Config, c parts.Credentials) []config.Secret {
	secrets := cfg.Secrets()
	for _, u := range c.Users {
		secrets = append(secrets, config.NewSecret(u.Hash()))
	}
	return secrets
}

// redact takes the credentials out of what Envoy says.
func (d *discretion) redact(text string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.redactor == nil {
		d.redactor = config.NewRedactor(slices.Concat(d.told...))
	}
	return d.redactor.Redact(text)
}
