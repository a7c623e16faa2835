package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/wire"
)

func TestNormalPath(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/vip": "/vip", "/vip/": "/vip/", "/a/b-c_d.e~f/": "/a/b-c_d.e~f/",
		"//vip": "/vip", "///": "/", "//": "/", "/vip//": "/vip/", "/x//../vip": "/vip", "/a//b/..//..///vip": "/vip",
		"/.": "/", "/..": "/", "/../vip": "/vip", "/./vip": "/vip", "/x/../vip": "/vip", "/vip/.": "/vip/", "/vip/..": "/", "/a/b/..": "/a/",
		"/a/b/../": "/a/", "/vip.": "/vip.", "/vip..": "/vip..", "/...": "/...", "/.vip": "/.vip", "/..vip": "/..vip",
		"/%76ip": "/vip", "/%56ip": "/Vip", "/x/%2e%2E/vip": "/vip", "/x/.%2e/vip": "/vip", "/%7Euser%2d%5F": "/~user-_",
		"/%2fvip": "/%2Fvip", "/a%3ab": "/a%3Ab", "/a:b": "/a:b", "/a%3b": "/a%3B", "/a;b": "/a;b", "/%5bx%5d": "/%5Bx%5D", "/[x]": "/[x]",
		"/%2576ip": "/%2576ip", "/%25%37%36ip": "/%2576ip", "/a%20b": "/a%20b", "/a b": "/a%20b", "/caf%c3%a9": "/caf%C3%A9", "/caf\u00e9": "/caf%C3%A9",
		"/\xff": "/%FF", `/a"<>^{|}` + "`": "/a%22%3C%3E%5E%7B%7C%7D%60", "/%7bx%7d": "/%7Bx%7D", "/vip%23f": "/vip%23f", "/vip%3fx": "/vip%3Fx",
	} {
		got, ok := wire.NormalPath(path)
		require.True(t, ok, path)
		require.Equal(t, want, got, path)
		again, ok := wire.NormalPath(got)
		require.True(t, ok, path)
		require.Equal(t, got, again, "the normal form of a normal form")
	}
}

func TestPathsWithoutANormalForm(t *testing.T) {
	for _, path := range []string{
		"", "*", "vip", "http://a/vip", `\vip`, `/\vip`, `/x\..\vip`, "/%5cvip", "/%5Cvip", "/x/..;/vip", "/x/.;a=b/vip", "/%2e%2e;/vip",
		"/vip#f", "/%00vip", "/vip%0d%0a", "/vip%1F", "/vip%7f", "/vip\x00", "/vip\t", "/vip\x7f", "/vip%", "/vip%7", "/vip%zz", "/%u0076ip", "/%%76ip", "/%7%36ip",
	} {
		got, ok := wire.NormalPath(path)
		require.False(t, ok, "%q: %q", path, got)
		require.Empty(t, got)
	}
}
