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
	{"route", []string{"request_buffering"}, "requests are always buffered: their prompt decides the target"},
	{"route", []string{"response_buffering"}, "responses are always streamed"},
	{"service", []string{"host", "path", "port", "protocol", "url"}, "a target's provider or upstream_url replaces it"},
	{"service", []string{"connect_timeout", "read_timeout", "write_timeout", "retries"}, "those of the plugin's balancer apply"},
	{"service", []string{"ca_certificates", "client_certificate", "tls_sans", "tls_verify", "tls_verify_depth"}, "providers are verified with --trusted-ca"},
}
