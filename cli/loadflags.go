package cli

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"semlb/app"
	"semlb/config"
)

// bindLoad adds the flags of the commands that make a configuration's parts.
func bindLoad(c *cobra.Command, env Environment, o *app.LoadOptions) {
	f := c.Flags()
	f.StringArrayVarP(&o.Files, "config", "c", nil, "configuration `FILE`")
	bindReading(c, env, &o.Reading)
	f.StringToStringVar(&o.ProviderURLs, "provider-url", nil,
		"`PROVIDER=URL` where targets and embeddings of a provider without an upstream_url of their own go (repeatable)")
	f.StringVar(&o.Embeddings, "embeddings", "config", "embedding model: builtin or config")
	f.StringVar(&o.VectorDB, "vectordb", "config", "where vectors are kept: memory or config")
	f.DurationVar(&o.StoreSync, "store-sync", time.Minute, "how often a vector store is asked whether it still has what is in memory")
	f.StringVar(&o.TrustedCA, "trusted-ca", "", "`FILE` of certificate authorities that providers are verified with (default: the system's)")
	f.DurationVar(&o.Budget, "decision-budget", time.Second, "longest time to find the matching group; then the default group serves")
	f.DurationVar(&o.MaxRetryAfter, "max-retry-after", time.Minute,
		"longest time that a target is left alone after it answered 429 or 503 with Retry-After; 0 ignores the header")
}

// checkLoad finds the flags that make no sense.
func checkLoad(o *app.LoadOptions) error {
	if len(o.Files) == 0 && !o.Demo && !o.MayBeEmpty {
		return errors.New("no configuration: give -c FILE")
	}
	if err := checkReading(&o.Reading); err != nil {
		return err
	}
	if !slices.Contains([]string{"builtin", "config"}, o.Embeddings) {
		return fmt.Errorf("--embeddings: got %q, want builtin or config", o.Embeddings)
	}
	if !slices.Contains([]string{"memory", "config"}, o.VectorDB) {
		return fmt.Errorf("--vectordb: got %q, want memory or config", o.VectorDB)
	}
	if o.Budget < time.Millisecond {
		return fmt.Errorf("--decision-budget: got %s, want 1ms or more", o.Budget)
	}
	if o.StoreSync < 100*time.Millisecond {
		return fmt.Errorf("--store-sync: got %s, want 100ms or more", o.StoreSync)
	}
	if o.MaxRetryAfter < 0 {
		return fmt.Errorf("--max-retry-after: got %s, want 0 or more", o.MaxRetryAfter)
	}
	for provider, raw := range o.ProviderURLs {
		if err := checkProviderURL(provider, raw); err != nil {
			return err
		}
	}
	return nil
}

// checkProviderURL refuses what would send a provider's traffic elsewhere than meant:
// a name that is no provider's sends nothing there at all, and a path would come
// before those that chat and embeddings have of their own.
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
