package harness

import (
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Plugin is a global ai-proxy-advanced plugin. Zero fields are omitted from the
// configuration, except those with a default that is given here.
type Plugin struct {
	Targets []Target
	// Algorithm is semantic by default.
	Algorithm string
	// Retries is balancer.retries.
	Retries *int
	// Failover is balancer.failover_criteria; nil leaves the plugin's default.
	Failover []string
	// The timeouts of the balancer, in milliseconds.
	ConnectTimeout, ReadTimeout, WriteTimeout int
	// Balancer are further fields of the balancer.
	Balancer map[string]any

	// Threshold is vectordb.threshold.
	Threshold *float64
	// Embeddings replaces the default block, which has OpenAI.
	Embeddings map[string]any
	// VectorDB replaces the default block, which has a Redis at localhost:6379.
	VectorDB map[string]any

	MaxRequestBodySize int
	// Extra are further fields of config.
	Extra map[string]any
}

// Target is one target of a [Plugin].
type Target struct {
	// URL is upstream_url. Without a path, the provider's path is used.
	URL string
	// Provider is openai by default.
	Provider string
	Model    string
	// Weight is 100 by default.
	Weight int
	// Description is the same for all targets by default.
	Description string
	// RouteType is llm/v1/chat by default.
	RouteType string
	// Authorization is the value of the header authorization.
	Authorization string
	// Auth are further fields of auth.
	Auth map[string]any
	// Logging are the fields of logging.
	Logging map[string]any
	// Options are further fields of model.options. A json.Number or [Number] keeps
	// its digits.
	Options map[string]any
}

// DefaultDescription is the description of targets without one.
const DefaultDescription = "Answers questions about anything"

// Number is a number whose digits appear in the configuration unchanged.
type Number string

// MarshalYAML writes the digits.
func (n Number) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: string(n)}, nil
}

// SeedCriteria are the failover criteria of the seed's examples.
func SeedCriteria() []string {
	return []string{"error", "timeout", "http_429", "http_503", "non_idempotent"}
}

// Config writes a plugin as a decK file.
func Config(p Plugin) string {
	return deck(map[string]any{"plugins": []any{p.fields()}})
}

// RoutesConfig writes a decK file with a route for each plugin, which has its name, the
// path of its name, and the plugin.
func RoutesConfig(plugins map[string]Plugin) string {
	routes := []any{}
	for _, name := range slices.Sorted(maps.Keys(plugins)) {
		routes = append(routes, map[string]any{
			"name": name, "paths": []string{"/" + name}, "plugins": []any{plugins[name].fields()},
		})
	}
	return deck(map[string]any{"routes": routes})
}

func deck(entities map[string]any) string {
	entities["_format_version"] = "3.0"
	text, err := yaml.Marshal(entities)
	if err != nil {
		panic(fmt.Sprintf("harness: write configuration: %v", err)) // of the test's own values
	}
	return string(text)
}

// fields are those of the plugin.
func (p Plugin) fields() map[string]any {
	targets := make([]any, len(p.Targets))
	for i, t := range p.Targets {
		targets[i] = t.fields()
	}
	config := map[string]any{"balancer": p.balancer(), "targets": targets}
	if p.Algorithm == "" || p.Algorithm == "semantic" {
		config["embeddings"] = orDefault(p.Embeddings, map[string]any{
			"model": map[string]any{"provider": "openai", "name": "text-embedding-3-small"},
		})
		config["vectordb"] = p.vectorDB()
	}
	put(config, "max_request_body_size", p.MaxRequestBodySize)
	for k, v := range p.Extra {
		config[k] = v
	}
	return map[string]any{"name": "ai-proxy-advanced", "config": config}
}

func (p Plugin) balancer() map[string]any {
	b := map[string]any{"algorithm": orDefault(p.Algorithm, "semantic")}
	if p.Retries != nil {
		b["retries"] = *p.Retries
	}
	if p.Failover != nil {
		b["failover_criteria"] = p.Failover
	}
	put(b, "connect_timeout", p.ConnectTimeout)
	put(b, "read_timeout", p.ReadTimeout)
	put(b, "write_timeout", p.WriteTimeout)
	for k, v := range p.Balancer {
		b[k] = v
	}
	return b
}

func (p Plugin) vectorDB() map[string]any {
	if p.VectorDB != nil {
		return p.VectorDB
	}
	db := map[string]any{
		"strategy": "redis", "distance_metric": "cosine", "dimensions": 1024,
		"redis": map[string]any{"host": "localhost", "port": 6379},
	}
	if p.Threshold != nil {
		db["threshold"] = *p.Threshold
	}
	return db
}

func (t Target) fields() map[string]any {
	options := map[string]any{}
	put(options, "upstream_url", t.URL)
	for k, v := range t.Options {
		options[k] = v
	}
	auth := map[string]any{}
	if t.Authorization != "" {
		auth["header_name"], auth["header_value"] = "Authorization", t.Authorization
	}
	for k, v := range t.Auth {
		auth[k] = v
	}
	model := map[string]any{"provider": orDefault(t.Provider, "openai"), "options": options}
	put(model, "name", t.Model)
	fields := map[string]any{
		"model":       model,
		"auth":        auth,
		"route_type":  orDefault(t.RouteType, "llm/v1/chat"),
		"description": orDefault(t.Description, DefaultDescription),
		"weight":      orDefault(t.Weight, 100),
	}
	if t.Logging != nil {
		fields["logging"] = t.Logging
	}
	return fields
}

// put adds a field unless its value is zero.
func put[T comparable](fields map[string]any, name string, value T) {
	var zero T
	if value != zero {
		fields[name] = value
	}
}

func orDefault[T any](value, fallback T) T {
	switch v := any(value).(type) {
	case string:
		if v == "" {
			return fallback
		}
	case int:
		if v == 0 {
			return fallback
		}
	case map[string]any:
		if v == nil {
			return fallback
		}
	}
	return value
}
