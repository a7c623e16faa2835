package schema

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"semlb/config"
	"semlb/config/tree"
)

// PluginName is the one plugin that is read.
const PluginName = "ai-proxy-advanced"

// Tables are what configurations may hold, in one version of Kong. They are not changed
// once they are made.
type Tables struct {
	// Plugin describes a plugin's entry, with its settings below "config".
	Plugin *Field
	// Guards describe the entries of the plugins that guard and are served, by their names.
	Guards map[string]*Field
	// Entities describe the entities around plugins, by their kind: service, route,
	// consumer and consumer_group.
	Entities map[string]*Field
}

// Named describes the entry of a plugin with a name, or is nil for one that is not served.
func (t *Tables) Named(plugin string) *Field {
	if plugin == PluginName {
		return t.Plugin
	}
	return t.Guards[plugin]
}

// Settings describes the settings of the plugin.
func (t *Tables) Settings() *Field { return t.Plugin.Fields["config"] }

// minorVersions are the versions with tables of their own, which are made when they are
// first asked for. That takes longer than reading a file of usual length, and every write
// to the Admin API reads one.
var minorVersions = func() map[string]func() (*Tables, error) {
	made := map[string]func() (*Tables, error){}
	for _, name := range []string{oldestVersion, "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15", DefaultVersion, newestAIGateway} {
		made[name] = sync.OnceValues(func() (*Tables, error) { return newTables(name) })
	}
	return made
}()

// For returns the tables of a version of Kong, such as "3.14"; empty is the default
// version. It is an error where the plugin is not in the version.
func For(kongVersion string) (*Tables, error) {
	if kongVersion == "" {
		kongVersion = DefaultVersion
	}
	if made, ok := minorVersions[kongVersion]; ok {
		return made()
	}
	return newTables(kongVersion)
}

func newTables(name string) (*Tables, error) {
	kong, err := kongVersion(name)
	if err != nil {
		return nil, err
	}
	all, err := readFacts()
	if err != nil {
		return nil, err
	}
	b := builder{kong}
	if kong.aiGateway() {
		if b.kong, err = parseVersion(aiGatewayBase); err != nil {
			return nil, err
		}
	}
	plugin, entities, guards := &Field{Kind: tree.Object}, &Field{Kind: tree.Object}, &Field{Kind: tree.Object}
	if err := b.addAll(plugin, all.plugin); err != nil {
		return nil, err
	}
	if err := b.addAll(entities, all.entities); err != nil {
		return nil, err
	}
	if err := b.addGuards(guards, all); err != nil {
		return nil, err
	}
	for path, n := range all.narrowed {
		f := plugin.Find(path)
		if f == nil {
			return nil, fmt.Errorf("narrow %s: no such field", path)
		}
		narrow(f, n)
	}
	for _, entry := range append(slices.Collect(maps.Values(guards.Fields)), plugin) {
		for _, part := range config.ScopeParts {
			entry.Fields[part].Reference, entry.Fields[part].Fields = true, nil
		}
	}
	markPresent(plugin.Fields["config"], reflect.TypeFor[config.AIProxyAdvanced]())
	if Newer(name) != "" {
		plugin.Fields["config"].open()
	}
	t := &Tables{Plugin: plugin, Guards: guards.Fields, Entities: entities.Fields}
	if err := t.markUnsupported(); err != nil {
		return nil, err
	}
	if kong.aiGateway() {
		return t, b.addAIGateway(t.Plugin)
	}
	return t, nil
}
