package config

import (
	"strconv"
	"strings"
)

// maxShown is the longest value a message shows, in bytes.
const maxShown = 60

// article returns a kind with its article.
func article(k kind) string {
	switch k {
	case kindNull:
		return "null"
	case kindInt, kindObject:
		return "an " + k.String()
	default:
		return "a " + k.String()
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// limited returns a text cut to what a message can hold.
func limited(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "…"
}

// printable returns a text in quotes, cut to what a message can hold.
func printable(text string) string { return strconv.Quote(limited(text)) }

// quoted returns a string in quotes for a message, unless it may hold something of
// the environment.
func quoted(n *node) string {
	if n != nil && n.hidden {
		return redacted
	}
	return printable(n.str())
}

// join appends a name to a path.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// identifier reports whether a name looks like the name of a field.
func identifier(name string) bool {
	if name == "" || len(name) > maxShown {
		return false
	}
	for _, r := range name {
		ok := r == '_' || r == '-' || r == '.' || r == '/' ||
			'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !ok {
			return false
		}
	}
	return true
}

// fieldName returns the name of a field for a path. A name that may be a
// misplaced credential is not shown.
func fieldName(s *spec, f field) string {
	if _, known := s.fields[f.name]; known {
		return f.name
	}
	switch {
	case f.hidden, s.hidden && !identifier(f.name):
		return redacted
	case identifier(f.name):
		return f.name
	default:
		return printable(f.name)
	}
}

// suggestion returns what an unknown field may have meant, or "".
func suggestion[T any](f field, known map[string]T) string {
	if f.hidden {
		return ""
	}
	if name := nearest(f.name, known); name != "" {
		return ", did you mean " + strconv.Quote(name) + "?"
	}
	return ""
}

// nearest returns the known name that is most like name, or "" where none is like
// it. Of equally like names the first in alphabetical order is taken.
func nearest[T any](name string, known map[string]T) string {
	if len(name) > maxShown {
		return ""
	}
	best, limit := "", max(1, len(name)/3)
	for k := range known {
		d := distance(strings.ToLower(name), k)
		if d < limit || d == limit && (best == "" || k < best) {
			best, limit = k, d
		}
	}
	return best
}

// distance returns how many letters have to be put in, left out, replaced or
// exchanged with their neighbour to get from a to b.
func distance(a, b string) int {
	before, last := []int{}, make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
