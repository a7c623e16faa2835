package app

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"semlb/config"
	"semlb/examples"
)

// LoadOptions say which configuration is loaded, how it is read, and what its parts
// are made of.
type LoadOptions struct {
	// Files are the configuration; none is the demonstration's with Demo.
	Files []string
	// Reading says how they are read.
	Reading config.Options
	// Demo sets every variable that has no value, so that no key is needed.
	Demo bool
	// MayBeEmpty says that having no configuration is no error.
	MayBeEmpty bool
	// ProviderURLs take the place of a provider's own address, by provider.
	ProviderURLs map[string]string
	// Embeddings is builtin or config, and VectorDB is memory or config.
	Embeddings, VectorDB string
	// TrustedCA is a file of certificate authorities; empty for the system's.
	TrustedCA string
	// Budget bounds a decision.
	Budget time.Duration
	// MaxRetryAfter bounds how long a target that asked for it is left alone.
	MaxRetryAfter time.Duration
	// StoreSync is how often a store that keeps vectors for others is looked after.
	StoreSync time.Duration
}

// demoKey stands for every key that a demonstration does not have.
const demoKey = "demo-key"

// load reads the configuration. Its error lists every fault.
func (o *LoadOptions) load(log *slog.Logger) (*config.Config, error) {
	cfg, warnings, err := o.read(o.configOptions())
	for _, w := range warnings {
		log.Warn("configuration", "warning", w)
	}
	return cfg, err
}

// configOptions say how configurations are read.
func (o *LoadOptions) configOptions() config.Options {
	options := o.Reading
	if o.Demo {
		options.Env = func(name string) (string, bool) {
			if value, ok := o.Reading.Env(name); ok {
				return value, true
			}
			return demoKey, true
		}
	}
	return options
}

func (o *LoadOptions) read(options config.Options) (*config.Config, []config.Warning, error) {
	if len(o.Files) > 0 {
		return config.LoadFiles(options, o.Files...)
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
func (o *LoadOptions) trust() string {
	if o.TrustedCA != "" {
		return o.TrustedCA // it is Envoy that opens it, maybe on another machine
	}
	candidates := systemTrust()
	if file, ok := o.Reading.Env("SSL_CERT_FILE"); ok {
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

// CheckAddress finds an address of a flag where nothing can listen.
func CheckAddress(flag, address string) error {
	_, _, err := hostPort(flag, address)
	return err
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
