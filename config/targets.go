package config

// Catchall is the description of the target that takes what matches nothing.
const Catchall = "CATCHALL"

// Target is one model at one provider.
type Target struct {
	Auth Auth `kong:"auth"`
	// Description is what prompts are compared with, or [Catchall].
	Description string         `kong:"description"`
	Logging     Logging        `kong:"logging"`
	Metadata    map[string]any `kong:"metadata"`
	Model       Model          `kong:"model"`
	RouteType   RouteType      `kong:"route_type"`
	Weight      int            `kong:"weight"`
	// Position is where the file starts the target. It is no part of what the target
	// is: in another file, or a line below, it is the same one.
	Position Position `kong:"-" json:"-"`
}

// RouteType is the shape of the requests and responses of a target.
type RouteType string

// The values of route_type that are supported.
const (
	Chat        RouteType = "llm/v1/chat"
	Completions RouteType = "llm/v1/completions"
)

// Logging says what is logged of a target's requests.
type Logging struct {
	LogPayloads   bool `kong:"log_payloads"`
	LogStatistics bool `kong:"log_statistics"`
}

// Provider is who serves a model.
type Provider string

// The providers of the schema.
const (
	Anthropic   Provider = "anthropic"
	Azure       Provider = "azure"
	Bedrock     Provider = "bedrock"
	Cerebras    Provider = "cerebras"
	Cohere      Provider = "cohere"
	DashScope   Provider = "dashscope"
	Databricks  Provider = "databricks"
	DeepSeek    Provider = "deepseek"
	Gemini      Provider = "gemini"
	HuggingFace Provider = "huggingface"
	Llama2      Provider = "llama2"
	Mistral     Provider = "mistral"
	Ollama      Provider = "ollama"
	OpenAI      Provider = "openai"
	VLLM        Provider = "vllm"
	XAI         Provider = "xai"
)

// Providers lists all providers of the schema, in the order of their names.
func Providers() []Provider {
	return []Provider{
		Anthropic, Azure, Bedrock, Cerebras, Cohere, DashScope, Databricks, DeepSeek, Gemini, HuggingFace, Llama2, Mistral,
		Ollama, OpenAI, VLLM, XAI,
	}
}

// Model is a model and how it is called.
type Model struct {
	ModelAlias string `kong:"model_alias"`
	// Name is empty where the request's model is used.
	Name     string       `kong:"name"`
	Options  ModelOptions `kong:"options"`
	Provider Provider     `kong:"provider"`
}

// ModelOptions are the options of a target's model. Costs are per one million
// tokens.
type ModelOptions struct {
	AnthropicVersion     string                `kong:"anthropic_version"`
	AzureAPIVersion      string                `kong:"azure_api_version"`
	AzureDeploymentID    string                `kong:"azure_deployment_id"`
	AzureInstance        string                `kong:"azure_instance"`
	Bedrock              *BedrockOptions       `kong:"bedrock"`
	CacheReadCost        *float64              `kong:"cache_read_cost"`
	CacheWriteCost       *float64              `kong:"cache_write_cost"`
	CacheWriteCostList   []CacheWriteCost      `kong:"cache_write_cost_list"`
	Cohere               *CohereOptions        `kong:"cohere"`
	ContextWindowFactor  []ContextWindowFactor `kong:"context_window_factor"`
	DashScope            DashScopeOptions      `kong:"dashscope"`
	Databricks           *DatabricksOptions    `kong:"databricks"`
	EmbeddingsDimensions *int                  `kong:"embeddings_dimensions"`
	Gemini               *GeminiOptions        `kong:"gemini"`
	HuggingFace          *HuggingFaceOptions   `kong:"huggingface"`
	InputCost            *float64              `kong:"input_cost"`
	Llama2Format         string                `kong:"llama2_format"`
	MaxTokens            *int                  `kong:"max_tokens"`
	MistralFormat        string                `kong:"mistral_format"`
	OutputCost           *float64              `kong:"output_cost"`
	ServiceTierFactor    []ServiceTierFactor   `kong:"service_tier_factor"`
	Temperature          Number                `kong:"temperature"`
	TopK                 *int                  `kong:"top_k"`
	TopP                 Number                `kong:"top_p"`
	UpstreamPath         string                `kong:"upstream_path"`
	// UpstreamURL replaces scheme, host, port and path.
	UpstreamURL string `kong:"upstream_url"`
}

// CacheWriteCost is the price of tokens kept in a provider's cache for a time.
type CacheWriteCost struct {
	Cost float64 `kong:"cost"`
	TTL  string  `kong:"ttl"`
}

// ContextWindowFactor multiplies costs above a size of the context.
type ContextWindowFactor struct {
	Above        string  `kong:"above"`
	InputFactor  float64 `kong:"input_factor"`
	OutputFactor float64 `kong:"output_factor"`
}

// ServiceTierFactor multiplies costs for a service tier.
type ServiceTierFactor struct {
	Factor float64 `kong:"factor"`
	Tier   string  `kong:"tier"`
}

// BedrockOptions are those of provider bedrock.
type BedrockOptions struct {
	AWSAssumeRoleARN         string `kong:"aws_assume_role_arn"`
	AWSRegion                string `kong:"aws_region"`
	AWSRoleSessionName       string `kong:"aws_role_session_name"`
	AWSSTSEndpointURL        string `kong:"aws_sts_endpoint_url"`
	BatchBucketPrefix        string `kong:"batch_bucket_prefix"`
	BatchRoleARN             string `kong:"batch_role_arn"`
	EmbeddingsNormalize      bool   `kong:"embeddings_normalize"`
	PerformanceConfigLatency string `kong:"performance_config_latency"`
	VideoOutputS3URI         string `kong:"video_output_s3_uri"`
}

// CohereOptions are those of provider cohere.
type CohereOptions struct {
	EmbeddingInputType string `kong:"embedding_input_type"`
	WaitForModel       *bool  `kong:"wait_for_model"`
}

// DashScopeOptions are those of provider dashscope.
type DashScopeOptions struct {
	// International chooses the international host.
	International bool `kong:"international"`
}

// DatabricksOptions are those of provider databricks.
type DatabricksOptions struct {
	WorkspaceInstanceID string `kong:"workspace_instance_id"`
}

// GeminiOptions are those of provider gemini. EndpointID is of targets only.
type GeminiOptions struct {
	APIEndpoint string `kong:"api_endpoint"`
	EndpointID  string `kong:"endpoint_id"`
	LocationID  string `kong:"location_id"`
	ProjectID   string `kong:"project_id"`
}

// HuggingFaceOptions are those of provider huggingface.
type HuggingFaceOptions struct {
	UseCache     *bool `kong:"use_cache"`
	WaitForModel *bool `kong:"wait_for_model"`
}
