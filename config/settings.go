package config

import "time"

// AIProxyAdvanced holds the settings of one instance: the schema's "config".
// Defaults are filled in. The tags name the schema's fields.
type AIProxyAdvanced struct {
	ACLs     *ACLs    `kong:"acls"`
	Balancer Balancer `kong:"balancer"`
	// Embeddings is nil where the file has none; algorithm semantic always has it.
	Embeddings    *Embeddings `kong:"embeddings"`
	GenAICategory string      `kong:"genai_category"`
	LLMFormat     string      `kong:"llm_format"`
	// MaxRequestBodySize is in bytes; 0 is no limit.
	MaxRequestBodySize int64 `kong:"max_request_body_size"`
	// ModelNameHeader turns the response header X-Kong-LLM-Model on.
	ModelNameHeader   bool              `kong:"model_name_header"`
	ResponseStreaming ResponseStreaming `kong:"response_streaming"`
	// Targets has at least one element.
	Targets []Target `kong:"targets"`
	// VectorDB is nil where the file has none; algorithm semantic always has it.
	VectorDB *VectorDB `kong:"vectordb"`

	// OptionsPrecedence is an extension: whose options win, the file's or the client's.
	OptionsPrecedence OptionsPrecedence `kong:"options_precedence"`
	// ModelPolicy is an extension: whether a request may name another model.
	ModelPolicy ModelPolicy `kong:"model_policy"`
}

// ResponseStreaming says whether responses may be streamed.
type ResponseStreaming string

// The values of response_streaming.
const (
	StreamingAllow  ResponseStreaming = "allow"
	StreamingAlways ResponseStreaming = "always"
	StreamingDeny   ResponseStreaming = "deny"
)

// OptionsPrecedence says whose options win.
type OptionsPrecedence string

// The values of options_precedence.
const (
	OptionsConfig OptionsPrecedence = "config"
	OptionsClient OptionsPrecedence = "client"
)

// ModelPolicy says whether a request may name another model than the target's.
type ModelPolicy string

// The values of model_policy.
const (
	// ModelReplace accepts any model and replaces it.
	ModelReplace ModelPolicy = "replace"
	// ModelStrict refuses a model other than the target's.
	ModelStrict ModelPolicy = "strict"
)

// ACLs are the schema's access rules.
type ACLs struct {
	Allow []ACLRule `kong:"allow"`
	Deny  []ACLRule `kong:"deny"`
}

// ACLRule holds where all its conditions hold.
type ACLRule struct {
	Match []ACLCondition `kong:"match"`
}

// ACLCondition compares one property of a request.
type ACLCondition struct {
	Key    string   `kong:"key"`
	Type   string   `kong:"type"`
	Values []string `kong:"values"`
}

// Balancer says how targets are chosen and when the next one is tried.
type Balancer struct {
	Algorithm        Algorithm           `kong:"algorithm"`
	ConnectTimeout   time.Duration       `kong:"connect_timeout"`
	FailTimeout      time.Duration       `kong:"fail_timeout"`
	FailoverCriteria []FailoverCriterion `kong:"failover_criteria"`
	HashOnHeader     string              `kong:"hash_on_header"`
	LatencyStrategy  string              `kong:"latency_strategy"`
	// MaxFails is the number of failures that take a target out; 0 is never.
	MaxFails int `kong:"max_fails"`
	// ReadTimeout is the longest silence between two reads.
	ReadTimeout time.Duration `kong:"read_timeout"`
	// Retries is the number of attempts after the first.
	Retries             int    `kong:"retries"`
	Slots               int    `kong:"slots"`
	TokensCountStrategy string `kong:"tokens_count_strategy"`
	// WriteTimeout is the longest silence between two writes.
	WriteTimeout time.Duration `kong:"write_timeout"`

	// NoMatch is an extension: what serves a prompt that matches nothing.
	NoMatch NoMatch `kong:"no_match"`
	// GroupOrder is an extension: how the targets of a group are ordered.
	GroupOrder GroupOrder `kong:"group_order"`
	// Spill is an extension: where an exhausted group goes on.
	Spill Spill `kong:"spill"`
	// OnPanic is an extension: how a request is served whose decision panics.
	OnPanic OnPanic `kong:"on_panic"`
	// SharedState is an extension: replicas share the balancer's state.
	SharedState bool `kong:"shared_state"`
}

// Algorithm chooses targets.
type Algorithm string

// The values of balancer.algorithm.
const (
	ConsistentHashing Algorithm = "consistent-hashing"
	LeastConnections  Algorithm = "least-connections"
	LowestLatency     Algorithm = "lowest-latency"
	LowestUsage       Algorithm = "lowest-usage"
	Priority          Algorithm = "priority"
	RoundRobin        Algorithm = "round-robin"
	Semantic          Algorithm = "semantic"
)

// FailoverCriterion is a condition under which the next target is tried. The
// meanings are those of nginx's proxy_next_upstream.
type FailoverCriterion string

// The values of balancer.failover_criteria.
const (
	OnError         FailoverCriterion = "error"
	OnTimeout       FailoverCriterion = "timeout"
	OnInvalidHeader FailoverCriterion = "invalid_header"
	OnHTTP403       FailoverCriterion = "http_403"
	OnHTTP404       FailoverCriterion = "http_404"
	OnHTTP429       FailoverCriterion = "http_429"
	OnHTTP500       FailoverCriterion = "http_500"
	OnHTTP502       FailoverCriterion = "http_502"
	OnHTTP503       FailoverCriterion = "http_503"
	OnHTTP504       FailoverCriterion = "http_504"
	NonIdempotent   FailoverCriterion = "non_idempotent"
)

// NoMatch says what serves a prompt that no description is near enough to, where
// no target is the CATCHALL.
type NoMatch string

// The values of balancer.no_match.
const (
	NoMatchNearest NoMatch = "nearest"
	NoMatchReject  NoMatch = "reject"
)

// OnPanic says how a request is served whose decision panics, which is a bug of this
// program.
type OnPanic string

// The values of balancer.on_panic.
const (
	OnPanicReject  OnPanic = "reject"
	OnPanicDefault OnPanic = "default"
)

// GroupOrder says how targets of one description are ordered.
type GroupOrder string

// The values of balancer.group_order.
const (
	// GroupByWeight tries the heaviest first.
	GroupByWeight GroupOrder = "weight"
	// GroupWeighted starts with a smooth weighted round robin.
	GroupWeighted GroupOrder = "weighted"
)

// Spill says where a request goes whose group is exhausted.
type Spill string

// The values of balancer.spill.
const (
	SpillNone     Spill = "none"
	SpillCatchall Spill = "catchall"
	SpillNearest  Spill = "nearest"
)
