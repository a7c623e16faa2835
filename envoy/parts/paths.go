package parts

import (
	_ "embed"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

//go:embed paths.lua
var pathsScript string

// plainPath matches what wire.NormalPath leaves as it is, without looking for it: a path
// without a '%' whose segments begin with no dot. Almost all requests have one.
const plainPath = `(?:/[A-Za-z0-9_~!$&'()*+,:;=@\[\]-][A-Za-z0-9._~!$&'()*+,:;=@\[\]-]*)*/?(?:\?.*)?`

// normalPaths gives requests the normal form of their paths, so that no way to write one gets
// round a route. Envoy's own normalization resolves dot segments before it merges slashes,
// and keeps the letter case of percent-encodings; its versions differ too.
func normalPaths() *hcmv3.HttpFilter {
	script := &luav3.Lua{DefaultSourceCode: &corev3.DataSource{
		Specifier: &corev3.DataSource_InlineString{InlineString: pathsScript},
	}}
	filter := skipIf("envoy.filters.http.lua", script, matchesHeader(":path", plainPath))
	filter.Name = "semlb.paths"
	return filter
}
