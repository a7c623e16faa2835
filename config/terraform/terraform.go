// Package terraform reads and writes Terraform files for Konnect's provider, and reads
// those for the provider of a Kong Gateway one runs oneself.
package terraform

import (
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/schema"
)

// Name is what users call the format.
const Name = "terraform"

// Format describes Terraform files to the loader.
func Format() format.Format {
	return format.Format{
		Name:        Name,
		Description: "Terraform (.tf)",
		Endings:     []string{".tf", valuesEnding, jsonEnding, jsonValuesEnding},
		Detect:      detect,
		NewReader:   newReader,
		Write:       write,
		Beside: &schema.Beside{
			Format:  "Terraform",
			Ignored: "other resources, and plugins, except those that guard; data sources, and modules that have nothing to do with Kong; lines of prose",
			Refused: "`count`, `for_each`; modules that have to do with Kong, if they may guard; functions other than `" + strings.Join(functionNames(), "`, `") + "`; Terraform in JSON",
		},
	}
}

// jsonEnding is that of Terraform in JSON, which is not read.
const jsonEnding = ".tf.json"

// The prefixes of resources' types: of Konnect's provider, and of that for a Kong Gateway
// one runs oneself.
const (
	konnectPrefix = "konnect_gateway_"
	gatewayPrefix = "kong-gateway_"
)

// Types of resources, without a prefix, that are no entities.
const (
	memberType = "consumer_group_member"
	vaultType  = "vault"
	// customType is a plugin of any name, which it has as an attribute.
	customType = "custom_plugin"
	// pluginPrefix comes before the name of a plugin.
	pluginPrefix = "plugin_"
)

// pluginNamed returns the plugin that a type of resource is.
func pluginNamed(kind string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(kind, pluginPrefix)
	return strings.ReplaceAll(rest, "_", "-"), ok
}

// typeOf returns the type of the resource that a plugin is.
func typeOf(plugin string) string { return pluginPrefix + strings.ReplaceAll(plugin, "-", "_") }

// resourceTypes are the types that are read, in the order in which they are; plugins, which
// have types of their own or customType, come after them.
var resourceTypes = []string{
	config.KindService, config.KindRoute, config.KindConsumerGroup, config.KindConsumer, memberType,
	"key_auth", "basic_auth", "jwt", "acl", vaultType, customType,
}

// kongType returns a resource's type without the prefix.
func kongType(name string) (kind string, ok bool) {
	for _, prefix := range []string{konnectPrefix, gatewayPrefix} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest, true
		}
	}
	return "", false
}

// credentialOf returns the kind of credential that a type of resource is.
func credentialOf(kind string) (format.Credential, bool) {
	return format.CredentialOf(strings.ReplaceAll(kind, "_", "-"))
}
