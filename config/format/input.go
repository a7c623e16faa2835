package format

import (
	"slices"

	"semlb/config"
	"semlb/config/placeholder"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

// Input is what the readers of one configuration share.
type Input struct {
	report.Report
	Set
	// Tables say what plugins and entities may hold.
	Tables *schema.Tables
	// Env looks a variable up, as os.LookupEnv does.
	Env func(name string) (value string, ok bool)
	// AllowUnset accepts variables and Secrets that have no value.
	AllowUnset bool
	// Placeholders, in a conversion, stand for the values of the environment; else nil.
	Placeholders *placeholder.Set
	// IngressClass is the class of the Kubernetes resources to read.
	IngressClass string
	// SecretsDir is a directory of mounted Kubernetes Secrets, or empty.
	SecretsDir string
	// IgnoredPlugins are the names of plugins that are left out although they guard.
	IgnoredPlugins []string
	// Dispatch gives a document that was found in another one to the reader of its
	// format.
	Dispatch func(Document)
	// Include reads a file that a document names, as if it had been given.
	Include func(name string, text []byte)
	// Given are the names of the files that are read, those that documents name among them.
	Given []string
	// Opened is told of files beside the given ones before they are read.
	Opened func(name string)

	// values counts the values that were used more than once.
	values int
}

// Converting reports whether the configuration is read to be written in another format.
func (in *Input) Converting() bool { return in.Placeholders != nil }

// SkipsPlugin reports whether a plugin of a name is left out, with a warning at its name: one
// that guards nothing, or that is to be ignored. An unknown name may be one that guards.
func (in *Input) SkipsPlugin(name *tree.Node, path string) bool {
	ignored := slices.Contains(in.IgnoredPlugins, name.Text)
	guards := schema.MayGuard(name.Text)
	switch {
	case name.Kind != tree.String || name.Broken || name.Text == schema.PluginName:
		return false
	case ignored && guards:
		in.Warn(name.Pos, path, "plugin "+name.Quoted()+" is ignored: requests are served without it")
	case !guards:
		in.Warn(name.Pos, path, "plugin "+name.Quoted()+" is not run"+instead(name))
	default:
		return false
	}
	return true
}

// Miss notes at a position what is not in the files and may guard the requests of a scope,
// unless it is to be ignored under one of the names that the configuration has for it.
func (in *Input) Miss(at Item, m Missing, names ...string) {
	if slices.ContainsFunc(names, func(name string) bool { return slices.Contains(in.IgnoredPlugins, name) }) {
		in.Warn(at.Node.Pos, at.Path, m.Text+"; it is ignored: requests are served without it")
		return
	}
	at.Kind, at.Missing = KindPlugin, &m
	at.Node = &tree.Node{Kind: tree.Object, Pos: at.Node.Pos}
	in.Items = append(in.Items, at)
}

// instead completes the warning about a plugin that is not run with the one that may be
// meant.
func instead(name *tree.Node) string {
	switch {
	case name.Hidden:
		return ""
	case name.Text == "ai-proxy":
		return "; semlb runs " + schema.PluginName + ", which has the same settings for each of its targets"
	default:
		return report.Suggest(name.Text, map[string]bool{schema.PluginName: true})
	}
}

// Charge counts values that are used once more, such as those of a shared block. It
// reports false where there are more than a configuration may have.
func (in *Input) Charge(n *tree.Node) bool {
	in.values += n.Size()
	return in.values <= tree.MaxValues
}

// ListOf returns the elements of a list that an object may have. path is the path of the
// object.
func (in *Input) ListOf(path string, parent *tree.Node, name string) []*tree.Node {
	return ListOf(&in.Report, path, parent, name)
}

// ListOf returns the elements of a list that an object may have, and reports what is
// none. path is the path of the object.
func ListOf(r *report.Report, path string, parent *tree.Node, name string) []*tree.Node {
	n := parent.Get(name)
	if n == nil || n.Broken {
		return nil
	}
	if n.Kind != tree.List {
		r.Want(n.Pos, report.Join(path, name), n.Kind.Article(), "a list")
		return nil
	}
	return n.Items
}

// StringAt returns a string at a position.
func StringAt(pos config.Position, text string) *tree.Node {
	return &tree.Node{Kind: tree.String, Pos: pos, Text: text}
}
