package terraform

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/tree"
)

var (
	// aboutKong matches what the call of a module with resources of Kong has in it: the
	// provider, the control plane, or what it is given to guard.
	aboutKong = regexp.MustCompile(`(?i)kong|konnect|control_plane|plugin`)
	// foreignPlugin matches types of resources that may be plugins, of providers that are not
	// read.
	foreignPlugin = regexp.MustCompile(`^(kong|konnect).*plugin`)
)

// call notes the call of a module, which may have plugins. What is plainly about something
// else is named in a warning.
func (r *reader) call(f *file, b *hclsyntax.Block) {
	pos, path := f.position(b.TypeRange), strings.Join(append([]string{b.Type}, b.Labels...), ".")
	shown := "block " + report.Quote(strings.ReplaceAll(path, ".", " "))
	if whole := b.Range(); !aboutKong.Match(f.text[whole.Start.Byte:b.CloseBraceRange.End.Byte]) {
		r.Warn(pos, "", shown+" is ignored")
		return
	}
	r.unread(pos, path, shown, "write its resources in these files")
}

// unread notes what may be a plugin that guards and is not read.
func (r *reader) unread(pos config.Position, path, shown, remedy string) {
	at := format.Item{Node: &tree.Node{Kind: tree.Object, Pos: pos}}
	r.Miss(at, format.Missing{Text: shown + " is not read", Remedy: remedy, Name: path}, path)
}
