package admin

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"semlb/config/schema"
	"semlb/config/tree"
	"semlb/wire"
)

// unknownSettings describes settings that are kept and never run: any text in them may be
// a credential.
var unknownSettings = func() *schema.Field {
	f := &schema.Field{Name: "config", Kind: tree.Object, FreeForm: true, Secret: true}
	f.Elements = f
	return f
}()

// describePlugins adds the plugins besides the one that the kind's fields describe: those
// that guard and are served, and those that are kept because they are to be ignored.
func (k *kind) describePlugins(tables *schema.Tables, ignored []string) {
	k.byName = make(map[string]*schema.Field, len(tables.Guards)+len(ignored))
	for name, table := range tables.Guards {
		k.byName[name] = k.described(table)
	}
	for _, name := range ignored {
		f := k.described(tables.Plugin)
		f.Fields["config"] = unknownSettings
		k.byName[name] = f
	}
}

// pluginNames returns the names that plugins may have, in alphabetical order.
func (k *kind) pluginNames() []string {
	names := append(slices.Collect(maps.Keys(k.byName)), schema.PluginName)
	slices.Sort(names)
	return names
}

// checkName returns an error for a plugin that is neither served nor to be ignored: nothing
// else of it can be checked. Names of other entities are free.
func (k *kind) checkName(fields object) error {
	name, ok := fields["name"].(string)
	if !ok || k.name != plugins || name == schema.PluginName || k.byName[name] != nil {
		return nil
	}
	shown := wire.MaskKeys(strings.ToValidUTF8(name, ""))
	text := "plugin '" + shown + "' not enabled; add it to the 'plugins' configuration property"
	switch like := schema.GuardLike(name); {
	case schema.Guards(name):
		text = "plugin '" + shown + "' is not supported yet; to keep it without running it, start semlb with --ignore-plugin " + shown
	case like != "":
		text += "; did you mean " + strconv.Quote(like) + "?"
	}
	return schemaViolation(wrong(text, "name"))
}

// defaultSettings returns what a record of settings has where nothing is set.
func defaultSettings(f *schema.Field) object {
	defaults := make(object, len(f.Fields))
	for name, child := range f.Fields {
		if child.NewSince == "" {
			defaults[name] = schema.Plain(child.Default)
		}
	}
	return defaults
}
