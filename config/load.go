package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// pluginName is the one plugin that is read.
const pluginName = "ai-proxy-advanced"

// DefaultIngressClass is the class of Kubernetes resources that is read where
// [Options] name none.
const DefaultIngressClass = "kong"

// Source is the text of one file.
type Source struct {
	// Name is what positions call it, usually its path.
	Name string
	Data []byte
	// Scope is what the body of an Admin API request applies to by its URL. Files
	// of other formats say themselves what applies to what.
	Scope Scope
}

// Options say how sources are read. The zero Options work; no variable is set then.
type Options struct {
	// Env looks a variable up, as os.LookupEnv does.
	Env func(name string) (value string, ok bool)
	// KongVersion is the version of Kong the files are written for, such as "3.14";
	// empty is 3.15. What is newer is a fault, and defaults are those of the version.
	KongVersion string
	// IngressClass is the class of the Kubernetes resources to read; empty is
	// "kong". Those of another class are left out, with a warning.
	IngressClass string
	// SecretsDir is a directory of Kubernetes Secrets as pods have them mounted:
	// SecretsDir/NAME/KEY or SecretsDir/NAMESPACE/NAME/KEY. Resources refer to them as
	// to Secrets of the files. Empty is none.
	SecretsDir string
	// AllowedHosts are hosts an upstream_url may name although they look like a
	// cloud's metadata service.
	AllowedHosts []string
	// AllowUnset takes variables and Secrets without a value as good, for a check where there are
	// no keys. What is loaded so must not be served.
	AllowUnset bool
}

// Load reads sources into one configuration. Where anything is wrong it returns
// [Faults] with everything that is, and no configuration. Warnings are returned in
// either case.
func Load(sources []Source, opts Options) (*Config, []Warning, error) {
	l, err := newLoader(opts)
	if err != nil {
		return nil, nil, err
	}
	if err := l.load(sources); err != nil {
		return nil, l.warnings, err
	}
	l.config.Index()
	return &l.config, l.warnings, nil
}

// load reads and checks everything.
func (l *loader) load(sources []Source) error {
	var files []string
	for _, source := range sources {
		files = append(files, source.Name)
		l.read(source)
	}
	l.bindKubernetes()
	l.tf.bind()
	l.bindRequests()
	names := NewNames(&l.config)
	l.joinGroups(names)
	for _, e := range l.entries {
		if len(l.faults) <= maxFaults {
			l.plugin(e, names)
		}
	}
	if len(l.entries) == 0 && l.faults == nil {
		l.warn(Position{}, "", "there is no "+pluginName)
	}
	if l.faults != nil {
		return l.faults.sorted(files)
	}
	return nil
}

// loader gathers what the sources say.
type loader struct {
	checker
	env      func(string) (string, bool)
	table    *spec
	entities *spec
	cluster  cluster
	// secretDir holds Secrets that are in no file.
	secretDir secretDir
	tf        *terraform
	// requests are those of shell scripts.
	requests []request
	// entries are the plugins found, in order.
	entries []entry
	// shared are the blocks of _plugin_configs.
	shared map[string]*node
	// values counts the values that shared blocks have added.
	values int
	config Config
	// places are where entities are, by what they are called.
	places  map[alias]Position
	members []member
	// credentialsSeen are the places of what consumers are told apart by.
	credentialsSeen map[credentialKey]credentialPlace
	// seen are the places of the scopes that have an instance.
	seen map[Scope]Position
	// symbols, where set, stand for what the environment holds, and plugins are
	// kept as trees, for conversion.
	symbols    *symbols
	allowUnset bool
	converted  []entry
	kept       []keptEntity
}

// entry is a plugin as a file has it.
type entry struct {
	path string
	n    *node
	// scope is what follows from the place of the entry.
	scope Scope
	// unbound is the resource of an entry that is checked and run for nothing.
	unbound *kubePlugin
}

func newLoader(opts Options) (*loader, error) {
	if opts.Env == nil {
		opts.Env = func(string) (string, bool) { return "", false }
	}
	kong, err := kongVersion(opts.KongVersion)
	if err != nil {
		return nil, err
	}
	tables, err := tablesFor(kong)
	if err != nil {
		return nil, err
	}
	if opts.IngressClass == "" {
		opts.IngressClass = DefaultIngressClass
	}
	l := &loader{
		checker: checker{allowedHosts: opts.AllowedHosts}, env: opts.Env, allowUnset: opts.AllowUnset, table: tables.plugin, entities: tables.entities, shared: map[string]*node{},
		places: map[alias]Position{}, seen: map[Scope]Position{}, credentialsSeen: map[credentialKey]credentialPlace{}, cluster: newCluster(opts.IngressClass),
		secretDir: secretDir(opts.SecretsDir),
	}
	l.tf = newTerraform(l)
	return l, nil
}

// read finds the plugins of a source.
func (l *loader) read(source Source) {
	if faults := checkSize(source.Name, source.Data); faults != nil {
		l.faults = append(l.faults, faults...)
		return
	}
	switch languageOf(source) {
	case inTerraform:
		l.tf.readFile(source)
		return
	case inShell:
		l.script(source)
		return
	}
	r := templates{env: l.env, symbols: l.symbols, allowUnset: l.allowUnset}
	doc, faults := r.render(source.Name, source.Data)
	l.faults = append(l.faults, faults...)
	if doc == nil {
		return
	}
	trees, faults := doc.parse()
	if faults != nil && !looksOwn(source) {
		faults = Faults{{Position: Position{File: source.Name}, Problem: formats}}
	}
	l.faults = append(l.faults, faults...)
	if len(trees) == 0 && faults == nil {
		l.want(Position{File: source.Name}, "", "nothing", "a configuration")
	}
	for _, tree := range trees {
		l.recognise(tree, source.Scope)
	}
}

// looksOwn reports whether a file's name says that it is YAML or JSON or, where the
// name says nothing, its text does.
func looksOwn(source Source) bool {
	if ext := filepath.Ext(source.Name); ext != "" {
		return slices.Contains([]string{".yaml", ".yml", ".json"}, ext)
	}
	start := regexp.MustCompile(`(?m)^\s*([{]|(_format_version|apiVersion|kind|plugins|services|routes|consumers|consumer_groups|name|config)\s*:)`)
	return start.Match(source.Data)
}

// recognise reads a tree in the format it is in.
func (l *loader) recognise(n *node, scope Scope) {
	switch {
	case n.kind == kindObject && strings.HasSuffix(n.pos.File, ".tf.json"):
		l.problem(Position{File: n.pos.File}, "", "not supported yet: Terraform in JSON; write it as .tf")
	case n.get("apiVersion") != nil && n.get("kind") != nil:
		l.resource(n)
	case n.get("config") != nil || n.get("name") != nil:
		l.pluginEntry("", n, scope)
	case n.get("data") != nil:
		for i, body := range l.listOf("data", n, "data") {
			l.pluginEntry(fmt.Sprintf("data[%d]", i), body, scope)
		}
	default:
		l.deck(n)
	}
}
