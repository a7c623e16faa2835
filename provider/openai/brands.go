package openai

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"semlb/provider"
)

// brand is what is particular to one provider.
type brand struct {
	host       string // empty: upstream_url is required
	base       string // in front of the operation's path
	authHeader string // for a credential that names no header; empty: authorization
	limits     limits
	noTopK     bool // top_k is an error, and is removed
	// adjust changes the site by the settings of this brand alone. Nil for most.
	adjust func(*provider.Site, provider.Settings) error
}

// limits is how the models of a brand name the limit of an answer's tokens.
type limits int

const (
	// bothNames leaves a client's max_tokens and max_completion_tokens alone.
	bothNames limits = iota
	// byModel is for brands that serve OpenAI's models: those that reason take
	// max_completion_tokens and refuse max_tokens.
	byModel
	// byModelAndVersion is byModel for an API of whose versions some do not know
	// max_completion_tokens: models that do not reason get max_tokens.
	byModelAndVersion
	// maxTokensOnly is for brands that do not know max_completion_tokens: mistral
	// refuses it, deepseek ignores it, and an ignored limit is no limit at all.
	maxTokensOnly
)

// azure is the name of the one brand that has deployments.
const azure = "azure"

// brands has a line for every provider that speaks OpenAI's format.
var brands = map[string]brand{
	azure:       {authHeader: "api-key", limits: byModelAndVersion, noTopK: true, adjust: azureSite},
	"cerebras":  {host: "api.cerebras.ai", base: "/v1"},
	"dashscope": {host: "dashscope.aliyuncs.com", base: "/compatible-mode/v1", adjust: dashscopeSite},
	"deepseek":  {host: "api.deepseek.com", base: "/v1", limits: maxTokensOnly},
	"mistral":   {host: "api.mistral.ai", base: "/v1", limits: maxTokensOnly, noTopK: true, adjust: mistralFormat},
	"openai":    {host: "api.openai.com", base: "/v1", limits: byModel, noTopK: true},
	"vllm":      {base: "/v1"},
	"xai":       {host: "api.x.ai", base: "/v1"},
}

// operations are the ends of the paths, by route type.
var operations = map[string]string{
	string(provider.Chat):        "/chat/completions",
	string(provider.Completions): "/completions",
}

func (b brand) site(s provider.Settings) (provider.Site, error) {
	site := provider.Site{Host: b.host, Path: b.base + operations[s.RouteType], AuthHeader: b.authHeader}
	if site.AuthHeader == "" {
		site.AuthHeader = "authorization"
	}
	if b.adjust == nil {
		return site, nil
	}
	return site, b.adjust(&site, s)
}

// defaultVersion is the plugin's default of azure_api_version.
const defaultVersion = "2023-05-15"

// azureSite puts the deployment into the path, on the instance's own host, and
// adds the version of the API.
func azureSite(site *provider.Site, s provider.Settings) error {
	o := s.Options
	if o.UpstreamURL == "" {
		if o.AzureInstance == "" || o.AzureDeploymentID == "" {
			return errors.New("azure: azure_instance and azure_deployment_id are required without upstream_url")
		}
		instance := strings.ToLower(o.AzureInstance)
		if strings.Trim(instance, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return errors.New("azure_instance: want letters, digits and hyphens")
		}
		site.Host = instance + ".openai.azure.com"
	}
	deployment, err := provider.EscapeTemplate(o.AzureDeploymentID, url.PathEscape)
	if err != nil {
		return fmt.Errorf("azure_deployment_id: %w", err)
	}
	version, err := provider.EscapeTemplate(o.AzureAPIVersion, url.QueryEscape)
	if err != nil {
		return fmt.Errorf("azure_api_version: %w", err)
	}
	// The schema's default and no version at all cannot be told apart.
	byDefault := version == "" || version == defaultVersion
	if byDefault {
		version = defaultVersion
	}
	site.Path = "/openai/deployments/" + deployment + site.Path
	site.Params = []provider.Param{{
		Name: "api-version", Value: version,
		Yields: byDefault || s.OptionsPrecedence == provider.PrecedenceClient,
	}}
	return nil
}

func dashscopeSite(site *provider.Site, s provider.Settings) error {
	if s.Options.DashscopeInternational {
		site.Host = "dashscope-intl.aliyuncs.com"
	}
	return nil
}

func mistralFormat(_ *provider.Site, s provider.Settings) error {
	if f := s.Options.MistralFormat; f != "" && f != "openai" {
		return fmt.Errorf("mistral_format: got %q, want \"openai\"", f)
	}
	return nil
}
