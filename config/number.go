package config

import "strconv"

// Number is an optional decimal number in the very text of its file, so that
// "1.0" is forwarded as "1.0". The text is always a valid JSON number; the empty
// Number is absent.
type Number string

// Present reports whether there is a number.
func (n Number) Present() bool { return n != "" }

// Float64 returns the nearest float64, and 0 for an absent number.
func (n Number) Float64() float64 {
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return 0
	}
	return f
}

// MarshalJSON returns the text as it is, and null for an absent number.
func (n Number) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return []byte(n), nil
}
