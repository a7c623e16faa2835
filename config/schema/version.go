package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"semlb/config/tree"
)

// DefaultVersion is the version of Kong that configurations are read for unless another
// one is named: the newest that is known.
const DefaultVersion = "3.16"

// The AI gateway has versions of its own, from 2.0 on. It has the plugin of Kong 3.15, with
// what changed in the facts of aigateway.json. No Kong 2.x has the plugin, so that its
// versions name no other product.
const (
	newestAIGateway = "2.0"
	aiGatewayBase   = "3.15"
)

// aiGateway reports whether it is a version of the AI gateway.
func (v version) aiGateway() bool { return v[0] == 2 }

// Newer returns what to tell about a version that is newer than every known one, and is
// read as the newest of its product; "" for others. The version was checked.
func Newer(text string) string {
	v, err := kongVersion(text)
	if err != nil {
		return ""
	}
	product, newest := "Kong", DefaultVersion
	if v.aiGateway() {
		product, newest = "the AI gateway", newestAIGateway
	}
	known, _ := parseVersion(newest)
	if slices.Compare(v.minor(), known.minor()) <= 0 {
		return ""
	}
	return fmt.Sprintf("version %s of %s is newer than %s, the newest that is known: read as %s", text, product, newest, newest)
}

// oldestVersion is the first with the plugin.
const oldestVersion = "3.8"

// version is a version of Kong, such as 3.15 or 3.14.0.13.
type version []int

// parseVersion reads two to four numbers with dots.
func parseVersion(text string) (version, error) {
	parts := strings.Split(text, ".")
	if len(parts) < 2 || len(parts) > 4 {
		return nil, fmt.Errorf("version %q: want a form like %s", text, DefaultVersion)
	}
	v := make(version, len(parts))
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("version %q: want a form like %s", text, DefaultVersion)
		}
		v[i] = int(n)
	}
	return v, nil
}

// CheckVersion returns what is wrong with the name of a version of Kong. An empty name
// is the default version.
func CheckVersion(text string) error {
	_, err := kongVersion(text)
	return err
}

// kongVersion reads a version of Kong that has the plugin.
func kongVersion(text string) (version, error) {
	if text == "" {
		text = DefaultVersion
	}
	v, err := parseVersion(text)
	if err != nil {
		return nil, fmt.Errorf("read Kong %w", err)
	}
	if oldest, _ := parseVersion(oldestVersion); !v.covers(oldest) && !v.aiGateway() {
		return nil, fmt.Errorf("read Kong version %q: want %s or newer, where the plugin begins, or 2.0 for the AI gateway", text, oldestVersion)
	}
	return v, nil
}

// minor returns the first two numbers.
func (v version) minor() version { return v[:2] }

// covers reports whether a release of v has what came with since. A version with
// fewer numbers stands for its latest release.
func (v version) covers(since version) bool {
	n := min(len(v), len(since))
	return slices.Compare(v[:n], since[:n]) >= 0
}

// newerThan returns the version that a "since" text names if kong does not have it yet,
// else "". A text may name several, one for each minor version that a change was
// backported to, "3.14.0.13 / 3.15.0.4", and say more behind each.
func newerThan(text string, kong version) (string, error) {
	if text == "" {
		return "", nil
	}
	var newer string
	for i, part := range strings.Split(text, "/") {
		name, _, _ := strings.Cut(strings.TrimSpace(part), " ")
		since, err := parseVersion(name)
		if err != nil {
			return "", err
		}
		if i > 0 && slices.Compare(since.minor(), kong.minor()) > 0 {
			break
		}
		newer = name
		if kong.covers(since) {
			newer = ""
		}
	}
	return newer, nil
}

// open makes a field, and all below it, accept fields that are not known.
func (f *Field) open() {
	if f == nil {
		return
	}
	f.Open = f.Kind == tree.Object
	f.Elements.open()
	for _, child := range f.Fields {
		child.open()
	}
}
