package app

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"semlb/app/build"
	"semlb/app/gateway"
	"semlb/config/load"
	"semlb/envoy/parts"
	"semlb/wire"
)

// Options configure the program. [DefaultOptions] has the defaults. Errors name an
// option by its flag of the command line.
type Options struct {
	Log *slog.Logger

	// Files are the configuration; directories stand for the files in them. Without
	// files Demo uses an example, and Admin.State what it holds.
	Files []string
	// Reading are the options for reading configurations.
	Reading load.Options
	// Demo needs no key and no server: it sets variables without a value, uses the
	// built-in embedding model and stores vectors in memory. [New] starts LLMs for it.
	Demo bool

	// BuiltinEmbeddings and MemoryStore override the configuration.
	BuiltinEmbeddings, MemoryStore bool
	// ProviderURLs are base URLs of providers, by name, for targets and embeddings
	// without an upstream_url.
	ProviderURLs map[string]string
	// TrustedCA is a file of the certificate authorities with which Envoy verifies providers,
	// and semlb embedding models and Redis; empty means those of this system.
	TrustedCA string
	// DecisionBudget bounds a routing decision; then the default group serves.
	DecisionBudget time.Duration
	// SendTimeout is how long a client may stop reading an answer before it is cut, where
	// read_timeout is shorter.
	SendTimeout time.Duration
	// MaxRetryAfter bounds the cool-down that a target requests with Retry-After; 0
	// ignores the header.
	MaxRetryAfter time.Duration
	// StoreSync is the interval at which a vector store is compared with its server.
	StoreSync time.Duration

	// Listen is the address where Envoy takes clients' requests.
	Listen string
	// Status is the address of metrics and health.
	Status string
	// Admin configures the Admin API.
	Admin AdminOptions
	// GRPCSocket is the Unix socket that Envoys connect to; empty for none. GRPCListen is a
	// TCP address for the same.
	GRPCSocket            string
	GRPCSocketPermissions SocketPermissions
	GRPCListen            string
	// HopSocket is the path of the inner listener's Unix socket; empty for an internal
	// listener.
	HopSocket string
	// MaxBodyMemory bounds the request bodies that are decided about at once, in MiB; 0 stands
	// for [MostBodyMemory], or less where the cgroup has less memory.
	MaxBodyMemory int64
	// EnvoyMemory is what each Envoy may take, in MiB; 0 stands for a default.
	EnvoyMemory int64
	// SetMemoryLimit is [runtime/debug.SetMemoryLimit]; nil leaves the runtime without the
	// cgroup's limit, where other things run in the process.
	SetMemoryLimit func(bytes int64) int64
	// Drain is how long to keep serving before stopping. With a child Envoy it ends with
	// the last request in flight.
	Drain time.Duration

	// Now is the clock. Its wall time is that of tokens and log events; everything that lasts
	// is measured by differences of its monotonic readings.
	Now func() time.Time

	// Envoy runs an Envoy as a child; nil serves Envoys that run elsewhere.
	Envoy *EnvoyOptions
	// Started is called once: when Envoys can connect, or with a child Envoy, when
	// requests can be sent. Nil calls nothing.
	Started func()
}

// AdminOptions configure the Admin API.
type AdminOptions struct {
	// Listen is its address, or [AdminOff].
	Listen string
	// Hosts are more names by which clients address its server.
	Hosts []string
	// State is the file that keeps changes; empty makes the API read-only.
	State string
	// Token authenticates every request; empty requires nothing. KonnectToken is also
	// accepted for the paths of Konnect.
	Token, KonnectToken wire.Secret
}

// AdminOff is the address that serves no Admin API.
const AdminOff = "off"

// EnvoyOptions configure a child Envoy. It replaces the sockets of [Options] by ones in a
// temporary directory.
type EnvoyOptions struct {
	// Binary is its path; empty means the one on the PATH.
	Binary string
	// Concurrency is the number of worker threads; 0 means one per core.
	Concurrency int
	// UnixHop makes the inner listener a Unix socket instead of an internal listener.
	UnixHop bool
	// Resolvers are the DNS servers that Envoy queries; none means those of this machine.
	Resolvers []netip.AddrPort
}

// DefaultOptions returns the options that differ from their zero value by default.
func DefaultOptions() Options {
	return Options{
		Log:                   slog.New(slog.DiscardHandler),
		Reading:               load.Options{Env: os.LookupEnv, KongVersion: load.DefaultKongVersion, IngressClass: load.DefaultIngressClass},
		DecisionBudget:        time.Second,
		SendTimeout:           time.Minute,
		MaxRetryAfter:         time.Minute,
		StoreSync:             time.Minute,
		Listen:                "127.0.0.1:8000",
		Status:                "127.0.0.1:8100",
		Admin:                 AdminOptions{Listen: "127.0.0.1:8001"},
		GRPCSocket:            "/tmp/semlb.sock",
		GRPCSocketPermissions: SocketPermissions{Mode: 0o600},
		Drain:                 3 * time.Second,
		Now:                   time.Now,
	}
}

// build are the options of the builder, without what a running program adds.
func (o *Options) build() build.Options {
	return build.Options{
		Log:               o.Log,
		BuiltinEmbeddings: o.BuiltinEmbeddings || o.Demo,
		MemoryStore:       o.MemoryStore || o.Demo,
		Demo:              o.Demo,
		ProviderURLs:      o.ProviderURLs,
		TrustedCA:         o.TrustedCA,
		DecisionBudget:    o.DecisionBudget,
		MaxRetryAfter:     o.MaxRetryAfter,
		Now:               o.Now,
	}
}

// gateway are the options of the Envoy that serves.
func (o *Options) gateway() (gateway.Options, error) {
	listen, err := parseAddress("listen", o.Listen)
	if err != nil {
		return gateway.Options{}, err
	}
	g := gateway.Options{
		Listen:         listen,
		Service:        parts.Endpoint{Path: o.GRPCSocket},
		HopSocket:      o.HopSocket,
		TrustedCA:      o.trustedCA(),
		DecisionBudget: o.DecisionBudget,
		SendTimeout:    o.SendTimeout,
		Memory:         o.memory().envoy,
	}
	if o.Envoy != nil {
		g.Resolvers = &o.Envoy.Resolvers
	}
	return g, nil
}

// inDir places the sockets of a child Envoy into its directory.
func (o *Options) inDir(dir string) error {
	o.GRPCSocket, o.GRPCSocketPermissions = filepath.Join(dir, "grpc.sock"), SocketPermissions{Mode: 0o600}
	o.HopSocket = ""
	if o.Envoy.UnixHop {
		o.HopSocket = filepath.Join(dir, "hop.sock")
		return CheckSocket("hop uds", o.HopSocket)
	}
	return nil
}

// systemTrust is where distributions keep the certificate authorities.
var systemTrust = []string{
	"/etc/ssl/certs/ca-certificates.crt",                // Debian, Alpine
	"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL
	"/etc/ssl/ca-bundle.pem",                            // openSUSE
	"/etc/ssl/cert.pem",                                 // macOS
}

// trustedCA is the file of certificate authorities; "" if there is none.
func (o *Options) trustedCA() string {
	if o.TrustedCA != "" {
		return o.TrustedCA // Envoy opens it, possibly on another machine
	}
	candidates := systemTrust
	if file, ok := o.Reading.Env("SSL_CERT_FILE"); ok {
		candidates = append([]string{file}, candidates...)
	}
	for _, file := range candidates {
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}
