package config

import (
	"time"

	"semlb/wire"
)

// Embeddings says which model turns texts into vectors.
type Embeddings struct {
	Auth  Auth            `kong:"auth"`
	Model EmbeddingsModel `kong:"model"`
}

// EmbeddingsModel is an embedding model at a provider.
type EmbeddingsModel struct {
	Name     string            `kong:"name"`
	Options  EmbeddingsOptions `kong:"options"`
	Provider Provider          `kong:"provider"`
}

// EmbeddingsOptions are the options of an embedding model.
type EmbeddingsOptions struct {
	Azure       *EmbeddingsAzure    `kong:"azure"`
	Bedrock     *BedrockOptions     `kong:"bedrock"`
	Gemini      *GeminiOptions      `kong:"gemini"`
	HuggingFace *HuggingFaceOptions `kong:"huggingface"`
	// UpstreamURL replaces scheme, host, port and path.
	UpstreamURL string `kong:"upstream_url"`
}

// EmbeddingsAzure are the options of provider azure.
type EmbeddingsAzure struct {
	APIVersion   string `kong:"api_version"`
	DeploymentID string `kong:"deployment_id"`
	Instance     string `kong:"instance"`
}

// Auth says how requests to a provider are authenticated.
type Auth struct {
	// AllowOverride lets the client's own credential win.
	AllowOverride           bool        `kong:"allow_override"`
	AWSAccessKeyID          wire.Secret `kong:"aws_access_key_id"`
	AWSSecretAccessKey      wire.Secret `kong:"aws_secret_access_key"`
	AzureClientID           string      `kong:"azure_client_id"`
	AzureClientSecret       wire.Secret `kong:"azure_client_secret"`
	AzureTenantID           string      `kong:"azure_tenant_id"`
	AzureUseManagedIdentity bool        `kong:"azure_use_managed_identity"`
	GCPMetadataURL          string      `kong:"gcp_metadata_url"`
	GCPOAuthTokenURL        string      `kong:"gcp_oauth_token_url"`
	GCPServiceAccountJSON   wire.Secret `kong:"gcp_service_account_json"`
	GCPUseServiceAccount    bool        `kong:"gcp_use_service_account"`
	HeaderName              string      `kong:"header_name"`
	// HeaderValue is the whole value with its scheme word, such as "Bearer …".
	HeaderValue   wire.Secret   `kong:"header_value"`
	ParamLocation ParamLocation `kong:"param_location"`
	ParamName     string        `kong:"param_name"`
	ParamValue    wire.Secret   `kong:"param_value"`
}

// ParamLocation says where a credential parameter goes.
type ParamLocation string

// The values of auth.param_location.
const (
	ParamBody  ParamLocation = "body"
	ParamQuery ParamLocation = "query"
)

// VectorDB says where vectors are kept and how near is near enough.
type VectorDB struct {
	// Dimensions is the width of the vectors.
	Dimensions     int            `kong:"dimensions"`
	DistanceMetric DistanceMetric `kong:"distance_metric"`
	PGVector       PGVector       `kong:"pgvector"`
	Redis          Redis          `kong:"redis"`
	Strategy       Strategy       `kong:"strategy"`
	// Threshold is the largest distance that is a match; nil is no limit.
	Threshold *float64 `kong:"threshold"`

	// Search is an extension: where the search runs.
	Search Search `kong:"search"`
}

// DistanceMetric measures how far two vectors are apart.
type DistanceMetric string

// The values of vectordb.distance_metric.
const (
	Cosine    DistanceMetric = "cosine"
	Euclidean DistanceMetric = "euclidean"
)

// Strategy is the kind of store.
type Strategy string

// The values of vectordb.strategy.
const (
	StrategyPGVector Strategy = "pgvector"
	StrategyRedis    Strategy = "redis"
)

// Search says where the nearest description is searched.
type Search string

// The values of vectordb.search.
const (
	// SearchMemory searches in this process; the store only shares vectors.
	SearchMemory Search = "memory"
	// SearchStore lets the store search.
	SearchStore Search = "store"
)

// PGVector is a PostgreSQL with pgvector.
type PGVector struct {
	Database    string        `kong:"database"`
	Host        string        `kong:"host"`
	Password    wire.Secret   `kong:"password"`
	Port        int           `kong:"port"`
	SSL         bool          `kong:"ssl"`
	SSLCert     string        `kong:"ssl_cert"`
	SSLCertKey  wire.Secret   `kong:"ssl_cert_key"`
	SSLRequired bool          `kong:"ssl_required"`
	SSLVerify   bool          `kong:"ssl_verify"`
	SSLVersion  string        `kong:"ssl_version"`
	Timeout     time.Duration `kong:"timeout"`
	User        string        `kong:"user"`
}

// Redis is a Redis or Valkey server.
type Redis struct {
	CloudAuthentication    *CloudAuthentication `kong:"cloud_authentication"`
	ClusterMaxRedirections int                  `kong:"cluster_max_redirections"`
	ClusterNodes           []ClusterNode        `kong:"cluster_nodes"`
	ConnectTimeout         time.Duration        `kong:"connect_timeout"`
	ConnectionIsProxied    bool                 `kong:"connection_is_proxied"`
	Database               int                  `kong:"database"`
	Host                   string               `kong:"host"`
	KeepaliveBacklog       *int                 `kong:"keepalive_backlog"`
	KeepalivePoolSize      int                  `kong:"keepalive_pool_size"`
	Password               wire.Secret          `kong:"password"`
	Port                   int                  `kong:"port"`
	ReadTimeout            time.Duration        `kong:"read_timeout"`
	SendTimeout            time.Duration        `kong:"send_timeout"`
	SentinelMaster         string               `kong:"sentinel_master"`
	SentinelNodes          []SentinelNode       `kong:"sentinel_nodes"`
	SentinelPassword       wire.Secret          `kong:"sentinel_password"`
	SentinelRole           string               `kong:"sentinel_role"`
	SentinelUsername       string               `kong:"sentinel_username"`
	ServerName             string               `kong:"server_name"`
	SSL                    bool                 `kong:"ssl"`
	SSLVerify              bool                 `kong:"ssl_verify"`
	Username               string               `kong:"username"`
}

// ClusterNode is one node of a Redis cluster.
type ClusterNode struct {
	IP   string `kong:"ip"`
	Port int    `kong:"port"`
}

// SentinelNode is one Redis Sentinel.
type SentinelNode struct {
	Host string `kong:"host"`
	Port int    `kong:"port"`
}

// CloudAuthentication is how a cloud's own identities log in to Redis.
type CloudAuthentication struct {
	AuthProvider          string      `kong:"auth_provider"`
	AWSAccessKeyID        wire.Secret `kong:"aws_access_key_id"`
	AWSAssumeRoleARN      wire.Secret `kong:"aws_assume_role_arn"`
	AWSCacheName          string      `kong:"aws_cache_name"`
	AWSIsServerless       bool        `kong:"aws_is_serverless"`
	AWSRegion             string      `kong:"aws_region"`
	AWSRoleSessionName    wire.Secret `kong:"aws_role_session_name"`
	AWSSecretAccessKey    wire.Secret `kong:"aws_secret_access_key"`
	AzureClientID         wire.Secret `kong:"azure_client_id"`
	AzureClientSecret     wire.Secret `kong:"azure_client_secret"`
	AzureTenantID         wire.Secret `kong:"azure_tenant_id"`
	GCPServiceAccountJSON wire.Secret `kong:"gcp_service_account_json"`
	OAuth                 *RedisOAuth `kong:"oauth"`
}

// RedisOAuth gets the credentials of a Redis from an authorization server.
type RedisOAuth struct {
	AuthMethod         string         `kong:"auth_method"`
	ClientID           string         `kong:"client_id"`
	ClientSecret       wire.Secret    `kong:"client_secret"`
	ClientSecretJWTAlg string         `kong:"client_secret_jwt_alg"`
	GrantType          string         `kong:"grant_type"`
	Password           wire.Secret    `kong:"password"`
	RedisUsername      string         `kong:"redis_username"`
	RedisUsernameClaim string         `kong:"redis_username_claim"`
	Scopes             []string       `kong:"scopes"`
	SSLVerify          bool           `kong:"ssl_verify"`
	Timeout            time.Duration  `kong:"timeout"`
	TokenEndpoint      string         `kong:"token_endpoint"`
	TokenHeaders       map[string]any `kong:"token_headers"`
	TokenPostArgs      map[string]any `kong:"token_post_args"`
	Username           string         `kong:"username"`
}
