package config

// idle are fields of an entity that are accepted and change nothing.
type idle struct {
	fields []string
	reason string
}

// idleEntities lists those of an entity of a kind.
func idleEntities(kind string) []idle {
	switch kind {
	case "service":
		return []idle{
			{[]string{"host", "path", "port", "protocol", "url"}, "a target's provider or upstream_url says where requests go"},
			{[]string{"connect_timeout", "read_timeout", "write_timeout", "retries"}, "those of the plugin's balancer are in force"},
			{[]string{"ca_certificates", "client_certificate", "tls_sans", "tls_verify", "tls_verify_depth"}, "providers are verified with --trusted-ca"},
		}
	case "route":
		return []idle{
			{[]string{"strip_path", "path_handling"}, "the provider's path replaces the client's"},
			{[]string{"preserve_host"}, "the provider's host replaces the client's"},
			{[]string{"request_buffering"}, "a request is always read to its end, because its prompt says where it goes"},
			{[]string{"response_buffering"}, "an answer always goes on as it comes"},
		}
	default:
		return nil
	}
}
