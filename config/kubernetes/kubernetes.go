// Package kubernetes reads and writes resources of Kong's controller, and those of
// Kubernetes and the Gateway API that plugins are bound to.
package kubernetes

import (
	"semlb/config/format"
	"semlb/config/schema"
	"semlb/config/tree"
)

// Name is what users call the format.
const Name = "kubernetes"

// DefaultIngressClass is the class of the resources that Kong's controller serves.
const DefaultIngressClass = "kong"

// The annotations and labels that are read, of Kong's controller
// (https://developer.konghq.com/kubernetes-ingress-controller/reference/annotations/).
const (
	annotationPlugins  = "konghq.com/plugins"
	annotationTags     = "konghq.com/tags"
	annotationClass    = "kubernetes.io/ingress.class"
	annotationMethods  = "konghq.com/methods"
	annotationProtocol = "konghq.com/protocols"
	annotationHeaders  = "konghq.com/headers."
	annotationStrip    = "konghq.com/strip-path"
	annotationPreserve = "konghq.com/preserve-host"
	annotationPriority = "konghq.com/regex-priority"
	annotationRedirect = "konghq.com/https-redirect-status-code"
	annotationAliases  = "konghq.com/host-aliases"
	annotationRegex    = "konghq.com/regex-prefix"
	annotationSplit    = "konghq.com/headers-separator"
	annotationTLSOnly  = "ingress.kubernetes.io/force-ssl-redirect"
	labelGlobal        = "global"
	labelCredential    = "konghq.com/credential"
)

// Versions of the APIs of resources.
const (
	kongGroup   = "configuration.konghq.com"
	kongV1      = kongGroup + "/v1"
	kongV1beta1 = kongGroup + "/v1beta1"
	coreV1      = "v1"
	ingressV1   = "networking.k8s.io/v1"
	gatewayV1   = "gateway.networking.k8s.io/v1"
)

// bindingKind is a resource of Kong's operator that binds a plugin.
const bindingKind = "KongPluginBinding"

// Format describes Kubernetes resources to the loader.
func Format() format.Format {
	return format.Format{
		Name:        Name,
		Description: "Kubernetes resources (apiVersion, kind)",
		Endings:     []string{".yaml", ".yml", ".json"},
		Recognise:   func(root *tree.Node) bool { return root.Get("apiVersion") != nil && root.Get("kind") != nil },
		NewReader:   newReader,
		Write:       write,
		JSONSchema:  jsonSchema,
		Beside: &schema.Beside{
			Format:  "Kubernetes",
			Ignored: "other resources, and plugins, except those that guard; resources of another ingress class; secrets that are in no file",
			Refused: "plugins that are in no file, and those that a KongPluginBinding or another unread resource binds, if they may guard; query parameters of an HTTPRoute's matches; secrets other than key-auth, basic-auth, jwt and acl",
		},
	}
}

// objectKey names a resource.
type objectKey struct{ namespace, name string }

// String returns "namespace/name", or the name alone where there is no namespace.
func (k objectKey) String() string {
	if k.namespace == "" {
		return k.name
	}
	return k.namespace + "/" + k.name
}

// keyOf returns the name of a resource.
func keyOf(n *tree.Node) objectKey {
	meta := n.Get("metadata")
	return objectKey{meta.Get("namespace").Str(), meta.Get("name").Str()}
}

// annotation returns an annotation of a resource, or nil.
func annotation(n *tree.Node, name string) *tree.Node { return n.At("metadata", "annotations", name) }
