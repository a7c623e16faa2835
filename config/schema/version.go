package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// DefaultVersion is the version of Kong that configurations are read for unless another
// one is named: the newest that is known.
const DefaultVersion = "3.15"

// oldestVersion is the first with the plugin.
const oldestVersion = "3.8"

// version is a version of Kong, such as 3.15 or 3.14.0.13.
type version []int

// parseVersion reads two to four numbers with dots.
func parseVersion(text string) (version, error) {
	parts := strings.Split(text, ".")
	if len(parts) < 2 || len(parts) > 4 {
		return nil, fmt.Errorf("version %q: want a form like 3.15", text)
	}
	v := make(version, len(parts))
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("version %q: want a form like 3.15", text)
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
	if oldest, _ := parseVersion(oldestVersion); !v.covers(oldest) {
		return nil, fmt.Errorf("read Kong version %q: want %s or newer, where the plugin begins", text, oldestVersion)
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
