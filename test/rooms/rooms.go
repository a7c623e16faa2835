// Package rooms lists the packages of the project and what each may import. Its
// tests check the imports, the size and the comments of the code against that list,
// and `make generate` writes the table of ARCHITECTURE.md from it.
package rooms

// Room is a package, or a folder of packages without separate rows.
type Room struct {
	// Path is the folder, relative to the root of the module.
	Path string
	// Does is what the room does, in Markdown.
	Does string
	// Imports are the paths of the other rooms that its code may import. Its tests
	// may import whatever these rooms can reach, too.
	Imports []string
}

// Leaf is the room that every other room may import without a word in its row.
const Leaf = "wire"

// Any in Room.Imports permits every room of [Product].
const Any = "any"

// formatMayImport are the rooms that a format of configuration may import.
var formatMayImport = []string{"config", "config/format", "config/placeholder", "config/report", "config/schema", "config/tree"}

// Product returns the rooms of the program. To add one, add its line.
func Product() []Room {
	return []Room{
		{".", "calls cli", []string{"cli"}},
		{"cli", "commands: their flags, and what they print", []string{"app", "app/explain", "config", "config/load", "envoy/parts", "envoy/render", "router"}},
		{"app", "the running program: connects everything, serves, reloads files, stops in order", []string{Any}},
		{"app/build", "configuration → plugin instances. The only room that knows every embedder, store and dialect", []string{Any}},
		{"app/gateway", "routes of a configuration → their description for Envoy", []string{"config", "config/regular", "envoy/parts"}},
		{"app/deploy", "puts a configuration in force, and retires what it replaces", []string{"access", "app/build", "app/gateway", "config", "embeddings", "envoy/parts", "envoy/render", "record", "record/metrics", "router", "server", "vectordb"}},
		{"app/explain", "where a prompt would go, and why", []string{"access", "app/build", "config", "record", "router", "vectordb"}},
		{"app/child", "runs Envoy as a child process: version, log, restarts, drain", []string{"envoy", "envoy/parts", "envoy/render"}},
		{"access", "who may do what, by the head of a request: consumers, and the plugins that guard", []string{"config"}},
		{"server", "gRPC: the ext_proc roles, ADS, access logs, health", []string{"access", "envoy", "envoy/render", "provider", "record", "record/metrics", "router"}},
		{"router", "request → plan; one type for each algorithm; circuit breakers of targets", []string{"record", "vectordb"}},
		{"router/shared", "shares the circuit breakers' state between replicas", []string{"router"}},
		{"record", "everything that happens to a request, as typed events; the recorder, which never blocks", nil},
		{"record/logs", "events as log lines", []string{"record"}},
		{"record/metrics", "events as Prometheus metrics", []string{"record"}},
		{"admin", "Kong's Admin API over HTTP: a change becomes a whole configuration, which is loaded and put in force", []string{"config", "config/form", "config/load", "config/regular", "config/schema", "config/tree"}},
		{"config", "the model that every format yields; faults, scopes and their precedence, redaction", nil},
		{"config/report", "gathers faults and warnings about files; the words that messages share", []string{"config"}},
		{"config/regular", "reads regular files, and nothing that has no end", nil},
		{"config/placeholder", "references to the environment, on their way through a conversion", nil},
		{"config/tree", "values with their positions, from YAML and JSON", []string{"config", "config/placeholder", "config/report"}},
		{"config/schema", "the table of every field: checks, defaults, JSON Schema, the compatibility document", []string{"config", "config/report", "config/tree"}},
		{"config/rules", "what fields require of each other; texts with a grammar of their own", []string{"config", "config/report", "config/schema", "config/tree"}},
		{"config/templates", "executes decK's templates in files of YAML and JSON", []string{"config", "config/placeholder", "config/report", "config/tree", "config/verbs"}},
		{"config/format", "the contract of formats: what a reader yields and a writer gets", []string{"config", "config/placeholder", "config/report", "config/schema", "config/tree"}},
		{"config/verbs", "bounds what format strings make", nil},
		{"config/form", "fields of forms → trees, as Kong's Admin API reads them", []string{"config", "config/schema", "config/tree"}},
		{"config/deck", "decK files", formatMayImport},
		{"config/kubernetes", "resources of Kong's controller, of Kubernetes and of the Gateway API", append([]string{"config/regular"}, formatMayImport...)},
		{"config/terraform", "Terraform files", append([]string{"config/verbs"}, formatMayImport...)},
		{"config/script", "requests to the Admin API and to Konnect, alone or in shell scripts", append([]string{"config/form"}, formatMayImport...)},
		{"config/load", "files of any format → the model, or another format; the table of formats", []string{"config", "config/deck", "config/format", "config/kubernetes", "config/placeholder", "config/regular", "config/report", "config/rules", "config/schema", "config/script", "config/templates", "config/terraform", "config/tree"}},
		{"provider", "reads requests; writes them for a target, in its dialect and with its credentials", nil},
		{"provider/openai", "the dialect of OpenAI and of the providers that copied it, as a table", []string{"provider"}},
		{"provider/dialects", "a provider's name → its dialect", []string{"provider", "provider/openai"}},
		{"embeddings", "text → unit vector: the contract of embedders, circuit breaker and cache", nil},
		{"embeddings/remote", "what embedders behind an HTTP API share", []string{"embeddings"}},
		{"embeddings/openai", "endpoints that speak OpenAI's embeddings API", []string{"embeddings", "embeddings/remote"}},
		{"embeddings/static", "the built-in embedding model", []string{"embeddings"}},
		{"vectordb", "vector → nearest descriptions: the contract of stores, memory, and memory in front of another store", nil},
		{"vectordb/redis", "a store in Redis", []string{"vectordb"}},
		{"envoy", "the protocol between Envoy and semlb: names, mutations, retry policies, log entries. It decides nothing", nil},
		{"envoy/parts", "the pieces of the two hops: filters, routes, clusters, replies, logs", []string{"envoy"}},
		{"envoy/render", "parts → whole configurations: xDS, static", []string{"envoy", "envoy/parts"}},
		{Leaf, "rules of HTTP and network security, each once: metadata services, header syntax, Retry-After, secrets, error bodies. Every room may import it", nil},
		{"demo", "LLMs that fail on demand", nil},
		{"examples", "configurations; one is part of the program, for `--demo`", nil},
	}
}

// Support returns the rooms that only tests import. A support room imports other
// support rooms freely; Imports are the rooms of [Product] it may import.
func Support() []Room {
	return []Room{
		{"config/configtest", "texts and checks that tests of the configuration share", []string{"config", "config/load"}},
		{"vectordb/redistest", "starts real Redis servers", nil},
		{"envoy/envoytest", "compares messages with golden files", nil},
		{"embeddings/embeddingstest", "the contract that every embedder passes", []string{"embeddings"}},
		{"vectordb/storetest", "the contract that every vector store passes", []string{"vectordb"}},
		{"provider/providertest", "the contract that every dialect passes", []string{"provider", "provider/dialects"}},
		{"record/metrics/metricstest", "reads the metrics of a registry", nil},
		{"scripts/sbom", "the build information of a binary → its bill of materials", nil},
		{"test/ca", "certificate authorities that nothing but a test trusts", nil},
		{"test/clock", "a clock whose wall time a test can set", nil},
		{"test/golden", "compares texts with golden files", nil},
		{"test/process", "runs programs that end with their test", nil},
		{"test/tools", "finds and installs Envoy, Redis and SDKs", nil},
		{"test/harness", "runs semlb on a real Envoy, with upstreams that record every byte and fail on demand", []string{Any}},
		{"test", "the suites", []string{Any}},
	}
}
