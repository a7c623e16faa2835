package wire

import "strings"

// NormalPath returns the normal form of a request's path without a query, so that all ways to
// write one path select the same route: what Kong compares with its routes, in which all but
// the reserved and the unreserved characters of RFC 3986 are percent-encoded. Adjacent slashes
// are one, and then dot segments are resolved. Encoded unreserved characters are decoded;
// encoded reserved ones stay encoded, because they mean something else ("%2F" is no "/").
//
// It reports false for a path that servers read in different ways: one that does not begin
// with a slash, or has a backslash, a control character, a fragment, a '%' that encodes
// nothing, or a dot segment with parameters ("..;"). Kong would take these as they are.
//
// Package envoy/parts has the same rule as a script of Envoy's.
func NormalPath(path string) (normal string, ok bool) {
	if !strings.HasPrefix(path, "/") {
		return "", false
	}
	if isNormal(path) {
		return path, true
	}
	if path, ok = recode(path); !ok {
		return "", false
	}
	var kept []string
	last := ""
	for segment := range strings.SplitSeq(path, "/") {
		switch last = segment; {
		case strings.HasPrefix(segment, ".;") || strings.HasPrefix(segment, "..;"):
			return "", false
		case segment == "" || segment == ".":
		case segment == "..":
			kept = kept[:max(len(kept)-1, 0)]
		default:
			kept = append(kept, segment)
		}
	}
	normal = "/" + strings.Join(kept, "/")
	if len(kept) > 0 && (last == "" || last == "." || last == "..") {
		normal += "/"
	}
	return normal, true
}

// isNormal reports whether nothing is to be done for a path, as for almost all.
func isNormal(path string) bool {
	for i := range len(path) {
		if c := path[i]; !isUnreserved(c) && !isReserved(c) {
			return false
		}
	}
	return !strings.Contains(path, "//") && !strings.Contains(path, "/.")
}

// recode decodes and encodes each character of a path as its normal form has it.
func recode(path string) (string, bool) {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c, literal := path[i], true
		if c == '%' {
			if i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2]) {
				return "", false
			}
			c, literal = unhex(path[i+1])<<4|unhex(path[i+2]), false
			i += 2
		}
		switch {
		case c < ' ' || c == 0x7f || c == '\\' || literal && c == '#':
			return "", false
		case isUnreserved(c) || literal && isReserved(c):
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&0xf]})
		}
	}
	return b.String(), true
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// isReserved reports whether a character may stand in a path and mean something there.
func isReserved(c byte) bool { return strings.IndexByte("!$&'()*+,/:;=@[]", c) >= 0 }

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
