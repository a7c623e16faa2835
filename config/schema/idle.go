package schema

// idle are fields of entities that are accepted and change nothing.
type idle struct {
	kind   string
	fields []string
	reason string
}

var idleFields = []idle{
	{"route", []string{"strip_path", "path_handling"}, "the provider's path replaces the client's"},
	{"route", []string{"preserve_host"}, "the provider's host replaces the client's"},
	{"route", []string{"request_buffering"}, "a request is always read to its end, because its prompt says where it goes"},
	{"route", []string{"response_buffering"}, "an answer always goes on as it comes"},
	{"service", []string{"host", "path", "port", "protocol", "url"}, "a target's provider or upstream_url says where requests go"},
	{"service", []string{"connect_timeout", "read_timeout", "write_timeout", "retries"}, "those of the plugin's balancer are in force"},
	{"service", []string{"ca_certificates", "client_certificate", "tls_sans", "tls_verify", "tls_verify_depth"}, "providers are verified with --trusted-ca"},
}
