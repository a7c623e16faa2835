// Package load makes one configuration of files of any format. It finds the files, gives
// each to the reader of its format, fills in references to the environment, checks
// everything, and returns the model or everything that is wrong.
package load

import (
	"fmt"
	"io/fs"
	"slices"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/kubernetes"
	"semlb/config/rules"
	"semlb/config/schema"
	"semlb/config/tree"
)

// Defaults of [Options].
const (
	DefaultKongVersion  = schema.DefaultVersion
	DefaultIngressClass = kubernetes.DefaultIngressClass
)

// CheckKongVersion returns what is wrong with a version for [Options].
func CheckKongVersion(version string) error { return schema.CheckVersion(version) }

// CheckIgnoredPlugins returns what is wrong with names for [Options].
func CheckIgnoredPlugins(names []string) error {
	for _, name := range names {
		if name == "" || name == schema.PluginName {
			return fmt.Errorf("got %q, want the name of a plugin beside %s", name, schema.PluginName)
		}
	}
	return nil
}

// Source is the text of one file.
type Source struct {
	// Name is what positions call it, usually its path.
	Name string
	Data []byte
	// Scope is what the body of an Admin API request applies to by its URL. Files
	// of other formats say themselves what applies to what.
	Scope config.Scope
	// Files are those in the directory of the file, which a script may name; nil where it may
	// name none.
	Files fs.FS
	// Listed files were found in a directory. One that plainly has no configuration is
	// skipped.
	Listed bool
}

// Options say how sources are read. The zero Options work; no variable is set then.
type Options struct {
	// Env looks a variable up, as os.LookupEnv does.
	Env func(name string) (value string, ok bool)
	// KongVersion is the version of Kong, or 2.x of its AI gateway, that the files are
	// written for, such as "3.14"; empty is 3.16. What is newer is a fault, and defaults are
	// those of the version.
	KongVersion string
	// IngressClass is the class of the Kubernetes resources to read; empty is
	// "kong". Those of another class are left out, with a warning.
	IngressClass string
	// SecretsDir is a directory of Kubernetes Secrets as pods have them mounted:
	// SecretsDir/NAME/KEY or SecretsDir/NAMESPACE/NAME/KEY. Resources refer to them as
	// to Secrets of the files. Empty is none.
	SecretsDir string
	// IgnoredPlugins are the names of plugins that guard requests, that are not supported
	// or not wanted, and without which the configuration is to be served.
	IgnoredPlugins []string
	// Opened, unless it is nil, is told of each file and directory that a script names, before
	// it is read.
	Opened func(path string)
	// AllowUnset accepts variables and Secrets that have no value, for a check where
	// there are no keys. What is loaded so must not be served.
	AllowUnset bool
}

// Sources reads sources into one configuration. Where anything is wrong it returns
// [config.Faults] with everything that is, and no configuration. Warnings are returned in
// either case. A panic is returned as [config.InternalError].
func Sources(sources []Source, opts Options) (*config.Config, []config.Warning, error) {
	l, err := newLoader(opts)
	if err != nil {
		return nil, nil, err
	}
	err = config.Guard(func() error {
		if err := l.load(sources); err != nil {
			return err
		}
		l.config.Index()
		return nil
	})
	if err != nil {
		return nil, l.Warnings(), err
	}
	return &l.config, l.Warnings(), nil
}

// loader makes a configuration of what the readers yield.
type loader struct {
	*format.Input
	readers []format.Reader
	config  config.Config
	// plugins are those that were found, within entities too, in order, and guards those
	// that have a say over who may use them.
	plugins, guards []format.Item
	// served are the scopes of the enabled instances.
	served []config.Scope
	// templated are the bound instances, whose settings may take groups of paths.
	templated []templated
	// positions are those of entities, by what they are called.
	positions map[alias]config.Position
	consumers *rules.Consumers
	// scopes are the positions of the plugins that a scope has.
	scopes map[scoped]config.Position
	vaults vaults
	// instances are the names of plugins.
	instances instanceNames
	// bound are the instances that came into the configuration.
	bound []boundPlugin
	// output, in a conversion, is what is written.
	output *format.Output
}

// alias is something that an entity of a kind is called.
type alias struct{ kind, name string }

// scoped is a plugin in a scope. There is one at most.
type scoped struct {
	plugin string
	scope  config.Scope
}

func newLoader(opts Options) (*loader, error) {
	tables, err := schema.For(opts.KongVersion)
	if err != nil {
		return nil, err
	}
	if opts.Env == nil {
		opts.Env = func(string) (string, bool) { return "", false }
	}
	if opts.IngressClass == "" {
		opts.IngressClass = DefaultIngressClass
	}
	l := &loader{
		Input: &format.Input{
			Tables: tables, Env: opts.Env, AllowUnset: opts.AllowUnset,
			IngressClass: opts.IngressClass, SecretsDir: opts.SecretsDir, IgnoredPlugins: opts.IgnoredPlugins,
			Set: format.Set{Blocks: map[string]*tree.Node{}},
		},
		positions: map[alias]config.Position{}, scopes: map[scoped]config.Position{}, instances: instanceNames{},
	}
	if newer := schema.Newer(opts.KongVersion); newer != "" {
		l.Warn(config.Position{}, "", newer)
	}
	l.consumers = rules.NewConsumers(&l.Report)
	l.Dispatch = l.dispatch
	l.Include = func(name string, text []byte) { l.read(Source{Name: name, Data: text, Listed: true}) }
	if l.Opened = opts.Opened; l.Opened == nil {
		l.Opened = func(string) {}
	}
	for _, f := range formats {
		if f.NewReader == nil {
			l.readers = append(l.readers, nil)
			continue
		}
		l.readers = append(l.readers, f.NewReader(l.Input))
	}
	return l, nil
}

// load reads and checks everything.
func (l *loader) load(sources []Source) error {
	var files []string
	for _, source := range sources {
		files = append(files, source.Name)
	}
	l.Given = slices.Clone(files)
	for _, source := range sources {
		l.read(source)
	}
	for _, r := range l.readers {
		if r != nil {
			r.Finish()
		}
	}
	l.vaults = readVaults(l.Input)
	for _, item := range l.Items {
		l.item(item)
	}
	names := config.NewNames(&l.config)
	l.joinGroups(names)
	for _, p := range l.plugins {
		if !l.Full() {
			l.plugin(p, names)
		}
	}
	l.loadGuards(names)
	if l.Count() == 0 { // with a fault, some entities are missing
		captureCheck{&l.Report, l.config.Routes, l.served, names}.check(l.templated)
		checkReach(&l.Report, &l.config, l.bound)
	}
	if len(l.plugins) == 0 && l.Count() == 0 {
		l.Warn(config.Position{}, "", "the configuration has no "+schema.PluginName+" plugin")
	}
	return l.Err(files)
}
