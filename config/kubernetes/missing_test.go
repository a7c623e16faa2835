package kubernetes_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

// globalInstance serves all requests.
var globalInstance = configtest.Resource("KongClusterPlugin", "ai", "", "  labels: {global: 'true'}\nplugin: ai-proxy-advanced"+configtest.PluginConfig)

// loadResources loads resources beside a global instance, and returns the warnings as one text.
func loadResources(text string, ignored ...string) (*config.Config, string, error) {
	c, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text + globalInstance)}}, load.Options{IgnoredPlugins: ignored})
	var texts strings.Builder
	for _, w := range warnings {
		texts.WriteString(w.String() + "\n")
	}
	return c, texts.String(), err
}

const remedy = " It may guard an ai-proxy-advanced: add it, or give --ignore-plugin keys to serve without it"

// TestAPluginThatIsNotInTheFilesIsAFault: it may be one that guards.
func TestAPluginThatIsNotInTheFilesIsAFault(t *testing.T) {
	const use = "konghq.com/plugins: 'keys'"
	filter := `spec: {rules: [{filters: [{type: ExtensionRef, extensionRef: {group: configuration.konghq.com, kind: KongPlugin, name: keys}}]}]}`
	for text, want := range map[string]string{
		configtest.Resource("Service", "s", use, ""):                 `kong.yaml:7: metadata.annotations: konghq.com/plugins of Service "s" names`,
		configtest.Resource("Ingress", "i", use, ""):                 `kong.yaml:7: metadata.annotations: konghq.com/plugins of Ingress "i" names`,
		configtest.Resource("HTTPRoute", "r", use, ""):               `kong.yaml:7: metadata.annotations: konghq.com/plugins of HTTPRoute "r" names`,
		configtest.Resource("HTTPRoute", "r", "", filter):            `kong.yaml:8: spec.rules[0].filters[0].extensionRef.name: a filter of HTTPRoute "r" names`,
		configtest.Resource("KongConsumer", "c", use, "username: c"): `kong.yaml:7: metadata.annotations: konghq.com/plugins of KongConsumer "c" names`,
		configtest.Resource("KongConsumerGroup", "g", use, ""):       `kong.yaml:7: metadata.annotations: konghq.com/plugins of KongConsumerGroup "g" names`,
	} {
		_, _, err := loadResources(text)
		require.EqualError(t, err, want+` the plugin "keys", which is not in the files.`+remedy)
		_, warnings, err := loadResources(text, "keys")
		require.NoError(t, err)
		require.Contains(t, warnings, want+` the plugin "keys", which is not in the files; it is ignored: requests are served without it`)
		_, warnings, err = loadResources(text + configtest.Resource("KongPlugin", "keys", "", "plugin: loggly"))
		require.NoError(t, err, "one that was read and guards nothing")
		require.NotContains(t, warnings, "names the plugin")
		_, _, err = loadResources(text+configtest.Resource("KongPlugin", "keys", "", "plugin: oauth2"), "oauth2")
		require.NoError(t, err, "one that was read and is ignored")
	}
}

func TestAMissingPluginIsNamedAsItIsWritten(t *testing.T) {
	service := func(plugins string) string {
		return configtest.Resource("Service", "s", "konghq.com/plugins: '"+plugins+"'", "")
	}
	_, _, err := loadResources(service("far:keys"))
	require.ErrorContains(t, err, `names the plugin "far:keys", which is not in the files.`)
	require.ErrorContains(t, err, "give --ignore-plugin far:keys ")
	for _, ignored := range []string{"far:keys", "keys"} {
		_, _, err = loadResources(service("far:keys"), ignored)
		require.NoError(t, err)
	}
	_, warnings, err := loadResources(service("kyes")+configtest.Resource("KongPlugin", "keys", "", "plugin: key-auth\nconfig: {}"), "kyes")
	require.NoError(t, err)
	require.Contains(t, warnings, `names the plugin "kyes", which is not in the files; it is ignored: requests are served without it`)
	_, _, err = loadResources(service("kyes") + configtest.Resource("KongPlugin", "keys", "", "plugin: key-auth\nconfig: {}"))
	require.ErrorContains(t, err, `names the plugin "kyes", which is not in the files, did you mean "keys"? It may guard`)

	secret := configtest.Environment(map[string]string{"DECK_A": configtest.Marker})
	text := configtest.Resource("Service", "s", `konghq.com/plugins: ${{ env "DECK_A" }}`, "") + globalInstance
	_, _, err = load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{Env: secret})
	require.ErrorContains(t, err, "give --ignore-plugin NAME ")
	require.NotContains(t, err.Error(), configtest.Marker)
}

func TestAMissingPluginThatGuardsNothingThatIsServedIsAWarning(t *testing.T) {
	text := configtest.Resource("Service", "llm", "konghq.com/plugins: ai", "") + configtest.Resource("Service", "other", "konghq.com/plugins: keys", "") +
		configtest.Resource("KongPlugin", "ai", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig)
	_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(warnings), `konghq.com/plugins of Service "other" names the plugin "keys", which is not in the files`)
}

// TestTheClassOfResourcesThatOthersLeadTo: Kong's controller looks at that of those alone
// that nothing leads to.
func TestTheClassOfResourcesThatOthersLeadTo(t *testing.T) {
	const other = "kubernetes.io/ingress.class: other"
	c, _, err := loadResources(configtest.Resource("Service", "s", "konghq.com/plugins: keys, "+other, "") + configtest.Resource("KongPlugin", "keys", other, "plugin: key-auth\nconfig: {}"))
	require.NoError(t, err)
	require.Equal(t, config.Scope{Service: "kong/s"}, c.Guarding[0].Scope)

	cluster := configtest.Resource("Service", "s", "konghq.com/plugins: keys", "") + configtest.Resource("KongClusterPlugin", "keys", other, "plugin: key-auth\nconfig: {}")
	_, _, err = loadResources(cluster)
	require.ErrorContains(t, err, `names the plugin "keys", which is of another ingress class.`+remedy)
	_, _, err = loadResources(cluster, "keys")
	require.NoError(t, err)
}

func TestUnreadResourcesThatBindPluginsThatMayGuardAreFaults(t *testing.T) {
	bound := configtest.Resource("KongPlugin", "keys", "", "plugin: key-auth\nconfig: {}")
	binding := configtest.Resource("KongPluginBinding", "b", "", "spec: {pluginRef: {name: keys}, targets: {serviceRef: {name: s}}}")
	facade := configtest.Resource("KongServiceFacade", "f", "konghq.com/plugins: keys", "")
	for text, want := range map[string]string{binding: `KongPluginBinding "b"`, facade: `KongServiceFacade "f"`} {
		for _, plugin := range []string{"", bound} {
			_, _, err := loadResources(text + plugin)
			require.ErrorContains(t, err, want+`, which is not read, binds the plugin "keys". It may guard an ai-proxy-advanced: bind it by an annotation of a Service, an Ingress or an HTTPRoute, or give --ignore-plugin keys to serve without it`)
		}
		_, _, err := loadResources(text+bound, "keys")
		require.NoError(t, err)
		_, _, err = loadResources(text + configtest.Resource("KongPlugin", "keys", "", "plugin: loggly"))
		require.NoError(t, err)
	}
	_, warnings, err := loadResources(configtest.Resource("GRPCRoute", "g", "konghq.com/plugins: keys", ""))
	require.NoError(t, err)
	require.Contains(t, warnings, `resource "GRPCRoute" is ignored`)
}

// TestAMissingGroupThatIsDeniedIsAFault: without it the consumer would not be refused.
func TestAMissingGroupThatIsDeniedIsAFault(t *testing.T) {
	consumer := configtest.Resource("KongConsumer", "c", "", "username: c\ncredentials: [group-of-c]")
	acl := func(list string) string {
		return configtest.Resource("KongPlugin", "acl", "", "plugin: acl\nconfig: {"+list+": [banned]}") + configtest.Resource("Service", "s", "konghq.com/plugins: acl", "")
	}
	_, warnings, err := loadResources(consumer + acl("allow"))
	require.NoError(t, err)
	require.Contains(t, warnings, `kong.yaml:9: credentials: secret "group-of-c" is not in the files`)
	_, _, err = loadResources(consumer + acl("deny"))
	require.EqualError(t, err, `kong.yaml:9: credentials: secret "group-of-c" is not in the files, and may be a group that acl denies. It may guard an ai-proxy-advanced: add it, or give --ignore-plugin group-of-c to serve without it`)
	_, _, err = loadResources(consumer+acl("deny"), "group-of-c")
	require.NoError(t, err)
}
