package cli

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"semlb/app"
	"semlb/config"
)

// partFlags are the flags of the commands that build a configuration's parts.
type partFlags struct {
	readFlags
	logFlags
	// options are those of the program; the flags set most of them directly.
	options              app.Options
	embeddings, vectordb string
}

// Values of --embeddings and --vectordb.
const (
	fromConfig = "config"
	builtin    = "builtin"
	memory     = "memory"
)

func (f *partFlags) bindParts(c *cobra.Command, env Environment) {
	f.options = app.DefaultOptions()
	if env.Now != nil {
		f.options.Now = env.Now
	}
	f.bindRead(c, env)
	f.bindLog(c)
	o, flags := &f.options, c.Flags()
	flags.StringToStringVar(&o.ProviderURLs, "provider-url", nil,
		"`PROVIDER=URL` for targets and embeddings of a provider that have no upstream_url (repeatable)")
	flags.StringVar(&f.embeddings, "embeddings", fromConfig, "embedding model: builtin or config")
	flags.StringVar(&f.vectordb, "vectordb", fromConfig, "where vectors are kept: memory or config")
	flags.DurationVar(&o.StoreSync, "store-sync", o.StoreSync, "interval at which a vector store is checked for vectors it has lost")
	flags.StringVar(&o.TrustedCA, "trusted-ca", o.TrustedCA, "`FILE` of the certificate authorities that verify providers, embedding models and Redis; on the machines of Envoy and of semlb (default: the system's)")
	flags.DurationVar(&o.DecisionBudget, "decision-budget", o.DecisionBudget, "longest time to find the matching group; then the default group serves")
	flags.DurationVar(&o.SendTimeout, "send-timeout", o.SendTimeout,
		"how long a client may stop reading an answer, where read_timeout is shorter; 0 leaves it at read_timeout")
	flags.DurationVar(&o.MaxRetryAfter, "max-retry-after", o.MaxRetryAfter,
		"longest cool-down that a target can request with Retry-After, in a 429 or 503; 0 ignores the header")
}

// hide leaves flags that have no effect in a command out of its help. They are accepted.
func hide(c *cobra.Command, names ...string) {
	for _, name := range names {
		c.Flags().Lookup(name).Hidden = true
	}
}

// bindDemo adds the flag of the commands that can show a demonstration.
func (f *partFlags) bindDemo(c *cobra.Command, help string) {
	c.Flags().BoolVar(&f.options.Demo, "demo", false, help)
}

// checkParts checks the flags and sets the options that depend on several of them.
// Arguments are configuration files.
func (f *partFlags) checkParts(env Environment, arguments []string) error {
	o := &f.options
	if err := f.checkFiles(arguments); err != nil {
		return err
	}
	if !o.Demo {
		if f.embeddings != builtin && f.embeddings != fromConfig {
			return fmt.Errorf("--embeddings: got %q, want builtin or config", f.embeddings)
		}
		if f.vectordb != memory && f.vectordb != fromConfig {
			return fmt.Errorf("--vectordb: got %q, want memory or config", f.vectordb)
		}
	}
	if o.DecisionBudget < time.Millisecond {
		return fmt.Errorf("--decision-budget: got %s, want 1ms or more", o.DecisionBudget)
	}
	if o.StoreSync < 100*time.Millisecond {
		return fmt.Errorf("--store-sync: got %s, want 100ms or more", o.StoreSync)
	}
	if o.SendTimeout < 0 {
		return fmt.Errorf("--send-timeout: got %s, want 0 or more", o.SendTimeout)
	}
	if o.MaxRetryAfter < 0 {
		return fmt.Errorf("--max-retry-after: got %s, want 0 or more", o.MaxRetryAfter)
	}
	for provider, raw := range o.ProviderURLs {
		if err := checkProviderURL(provider, raw); err != nil {
			return err
		}
	}
	log, err := f.logger(env.Stderr)
	o.Log, o.Files, o.Reading = log, f.files, f.reading
	o.BuiltinEmbeddings, o.MemoryStore = f.embeddings == builtin, f.vectordb == memory
	return err
}

// checkFiles requires a file, unless the configuration comes from elsewhere.
func (f *partFlags) checkFiles(arguments []string) error {
	if f.options.Demo || f.options.Admin.State != "" {
		return f.checkRead(arguments)
	}
	return f.requireFiles(arguments)
}

// checkProviderURL refuses what would send traffic elsewhere than meant: nothing goes to
// the URL of an unknown provider, and a path would come before those of chat and
// embeddings.
func checkProviderURL(provider, raw string) error {
	if !slices.Contains(config.Providers(), config.Provider(provider)) {
		return fmt.Errorf("--provider-url: got the provider %q, want one of %v", provider, config.Providers())
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return fmt.Errorf("--provider-url %s: got %q, want http://HOST[:PORT] or https://HOST[:PORT], without a path", provider, raw)
	}
	return nil
}
