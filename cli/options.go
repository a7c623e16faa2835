package cli

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"semlb/config"
	"semlb/examples"
)

// loadOptions say which configuration is loaded and how it is read.
type loadOptions struct {
	files        []string
	reading      readOptions
	demo         bool
	mayBeEmpty   bool // having no configuration is no error
	providerURLs map[string]string
	embeddings   string
	vectordb     string
	trustedCA    string
	budget       time.Duration
	// maxRetryAfter bounds how long a target that asked for it is left alone.
	maxRetryAfter time.Duration
	// storeSync is how often a store that keeps vectors for others is looked after.
	storeSync time.Duration
	logFormat string
	logLevel  string
}

func (o *loadOptions) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVarP(&o.files, "config", "c", nil, "configuration `FILE`")
	o.reading.bind(c)
	f.StringToStringVar(&o.providerURLs, "provider-url", nil,
		"`PROVIDER=URL` where targets and embeddings of a provider without an upstream_url of their own go (repeatable)")
	f.StringVar(&o.embeddings, "embeddings", "config", "embedding model: builtin or config")
	f.StringVar(&o.vectordb, "vectordb", "config", "where vectors are kept: memory or config")
	f.DurationVar(&o.storeSync, "store-sync", time.Minute, "how often a vector store is asked whether it still has what is in memory")
	f.StringVar(&o.trustedCA, "trusted-ca", "", "`FILE` of certificate authorities that providers are verified with (default: the system's)")
	f.DurationVar(&o.budget, "decision-budget", time.Second, "longest time to find the matching group; then the default group serves")
	f.DurationVar(&o.maxRetryAfter, "max-retry-after", time.Minute,
		"longest time that a target is left alone after it answered 429 or 503 with Retry-After; 0 ignores the header")
	f.StringVar(&o.logFormat, "log-format", "text", "text or json")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
}

// check finds the flags that make no sense.
func (o *loadOptions) check() error {
	if len(o.files) == 0 && !o.demo && !o.mayBeEmpty {
		return fmt.Errorf("no configuration: give -c FILE")
	}
	if err := o.reading.check(); err != nil {
		return err
	}
	if !slices.Contains([]string{"builtin", "config"}, o.embeddings) {
		return fmt.Errorf("--embeddings: got %q, want builtin or config", o.embeddings)
	}
	if !slices.Contains([]string{"memory", "config"}, o.vectordb) {
		return fmt.Errorf("--vectordb: got %q, want memory or config", o.vectordb)
	}
	if o.budget < time.Millisecond {
		return fmt.Errorf("--decision-budget: got %s, want 1ms or more", o.budget)
	}
	if o.storeSync < 100*time.Millisecond {
		return fmt.Errorf("--store-sync: got %s, want 100ms or more", o.storeSync)
	}
	if o.maxRetryAfter < 0 {
		return fmt.Errorf("--max-retry-after: got %s, want 0 or more", o.maxRetryAfter)
	}
	for provider, raw := range o.providerURLs {
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

// logger is the program's log on w.
func (o *loadOptions) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level: got %q, want debug, info, warn or error", o.logLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch o.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	default:
		return nil, fmt.Errorf("--log-format: got %q, want text or json", o.logFormat)
	}
}

// demoKey stands for every key that a demonstration does not have.
const demoKey = "demo-key"

// load reads the configuration. Its error lists every fault.
func (o *loadOptions) load(env Environment, log *slog.Logger) (*config.Config, error) {
	cfg, warnings, err := o.read(o.configOptions(env))
	for _, w := range warnings {
		log.Warn("configuration", "warning", w)
	}
	return cfg, err
}

// configOptions say how configurations are read.
func (o *loadOptions) configOptions(env Environment) config.Options {
	options := o.reading.config(env)
	if o.demo {
		options.Env = func(name string) (string, bool) {
			if value, ok := env.LookupEnv(name); ok {
				return value, true
			}
			return demoKey, true
		}
	}
	return options
}

func (o *loadOptions) read(options config.Options) (*config.Config, []config.Warning, error) {
	if len(o.files) > 0 {
		return config.LoadFiles(options, o.files...)
	}
	return config.Load([]config.Source{{Name: "examples/deck/global.yaml", Data: examples.Global()}}, options)
}

// systemTrust is where distributions keep the certificate authorities.
func systemTrust() []string {
	return []string{
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Alpine
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/ssl/cert.pem",                                 // macOS
	}
}

// trust is the file of certificate authorities; "" if there is none.
func (o *loadOptions) trust(env Environment) string {
	if o.trustedCA != "" {
		return o.trustedCA // it is Envoy that opens it, maybe on another machine
	}
	candidates := systemTrust()
	if file, ok := env.LookupEnv("SSL_CERT_FILE"); ok {
		candidates = slices.Insert(candidates, 0, file)
	}
	for _, file := range candidates {
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}

// hostPort splits a listen address whose host is an IP address.
func hostPort(flag, address string) (string, uint16, error) {
	host, text, err := net.SplitHostPort(address)
	if err == nil {
		var port uint64
		if port, err = strconv.ParseUint(text, 10, 16); err == nil {
			if host == "localhost" {
				host = "127.0.0.1"
			}
			if _, err = netip.ParseAddr(host); err == nil {
				return host, uint16(port), nil
			}
		}
	}
	return "", 0, fmt.Errorf("--%s: got %q, want an IP address and a port, such as 127.0.0.1:8000", flag, address)
}

// listen opens a port, and says what to do if it is taken.
func listen(flag, address string) (net.Listener, error) {
	if _, _, err := hostPort(flag, address); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		if strings.Contains(err.Error(), "address already in use") {
			return nil, fmt.Errorf("%s is taken by another program: end it, or choose another address with --%s", address, flag)
		}
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return l, nil
}
