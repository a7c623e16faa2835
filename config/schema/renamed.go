package schema

import "strings"

// renamed are fields of some versions that others have under other names or not at all, by
// the ends of their paths, and what takes their place. Kong 3.8 and 3.9 had the first
// three as short forms; version 2 of the AI gateway has no upstream_path.
var renamed = [...]struct{ path, by string }{
	{"vectordb.redis.timeout", "connect_timeout, read_timeout and send_timeout"},
	{"vectordb.redis.cluster_addresses", "cluster_nodes"},
	{"vectordb.redis.sentinel_addresses", "sentinel_nodes"},
	{"model.options.upstream_path", "upstream_url, with the path,"},
}

// replacement completes "unknown field" with what takes the place of a renamed one; "" for
// others.
func replacement(path string) string {
	for _, r := range renamed {
		if strings.HasSuffix(path, "."+r.path) {
			return ": use " + r.by + " instead"
		}
	}
	return ""
}
