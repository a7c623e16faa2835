package config

import (
	"slices"
	"strings"
)

// kubectlFlags are the flags of one kubectl command.
type kubectlFlags struct {
	*flagReader
	namespace string
}

func newKubectlFlags() *kubectlFlags {
	k := &kubectlFlags{flagReader: newFlagReader("kubectl")}
	k.take("namespace", "n", func(w shellWord) { k.namespace = w.plain() })
	k.ignore(
		"filename,f", "kustomize,k", "selector,l", "output,o", "server,s", "v,v", "as", "as-group", "as-uid", "cache-dir",
		"certificate-authority", "client-certificate", "client-key", "cluster", "context", "field-manager",
		"field-selector", "kubeconfig", "request-timeout", "resource-version", "template", "timeout",
		"tls-server-name", "token", "user", "grace-period", "prune-allowlist",
	)
	k.switches("all-namespaces,A", "recursive,R", "help,h")
	return k
}

// kubectl reads what a command applies, or what it annotates. It reports whether it is
// such a command.
func (r *scriptReader) kubectl(pos Position, words, input []shellWord) bool {
	if r.kubectlFlags == nil {
		r.kubectlFlags = newKubectlFlags()
	}
	r.kubectlFlags.namespace = ""
	var rest []string
	for _, w := range r.kubectlFlags.parse(words) {
		rest = append(rest, w.plain())
	}
	switch {
	case len(rest) == 0:
		return false
	case rest[0] == "apply" && len(input) > 0:
		r.apply(input)
	case rest[0] == "annotate":
		r.annotate(pos, r.kubectlFlags.namespace, rest[1:])
	default:
		return false
	}
	return true
}

// apply reads the resources that are piped into kubectl.
func (r *scriptReader) apply(words []shellWord) {
	all := shellWord{}
	for _, w := range words {
		all.pieces = append(all.pieces, w.pieces...)
	}
	doc := r.document(all)
	if doc == nil {
		return
	}
	trees, faults := doc.parse()
	for _, f := range faults {
		r.add(f)
	}
	for _, tree := range trees {
		r.recognise(tree, Scope{})
	}
}

// kubectlKinds are the kinds that plugins are bound to, as kubectl takes them.
var kubectlKinds = map[string]int{
	"service": partService, "services": partService, "svc": partService, "ingress": partRoute, "ingresses": partRoute,
	"ing": partRoute, "httproute": partRoute, "httproutes": partRoute, "kongconsumer": partConsumer, "kongconsumers": partConsumer,
	"kongconsumergroup": partGroup, "kongconsumergroups": partGroup,
}

// annotate binds plugins to resources: KIND NAME… KEY=VALUE… or KIND/NAME… KEY=VALUE….
func (r *scriptReader) annotate(pos Position, namespace string, args []string) {
	first := slices.IndexFunc(args, func(a string) bool { return strings.Contains(a, "=") || strings.HasSuffix(a, "-") })
	if first < 0 {
		first = len(args)
	}
	resources, annotations := args[:first], args[first:]
	if len(resources) > 0 && !strings.Contains(resources[0], "/") {
		for i := 1; i < len(resources); i++ {
			resources[i] = resources[0] + "/" + resources[i]
		}
		resources = resources[1:]
	}
	if len(resources) == 0 || len(annotations) == 0 {
		r.warn(pos, "", "put the name of the resource into the command: kubectl annotate KIND NAME …")
		return
	}
	for _, resource := range resources {
		kind, name, _ := strings.Cut(resource, "/")
		kind, _, _ = strings.Cut(kind, ".") // the API group
		part, known := kubectlKinds[strings.ToLower(kind)]
		if !known {
			r.warn(pos, "", named("resource", kind)+" is not read")
			continue
		}
		r.bindAnnotated(pos, part, objectKey{namespace: namespace, name: name}, annotations)
	}
}

// bindAnnotated binds the plugins that annotations name to a resource.
func (r *scriptReader) bindAnnotated(pos Position, part int, key objectKey, annotations []string) {
	for _, a := range annotations {
		names, ok := strings.CutPrefix(a, annotationPlugins+"=")
		for _, name := range commaSeparated(names) {
			if ok {
				at := &node{kind: kindString, pos: pos, text: names}
				r.addBinding(binding{part, r.cluster.entity(part, key), name, key.namespace, "metadata.annotations", at})
			}
		}
	}
}

// entity returns what a resource is called elsewhere.
func (c *cluster) entity(part int, key objectKey) string {
	switch part {
	case partService, partRoute:
		return key.String()
	case partConsumer:
		for _, n := range c.consumers {
			if keyOf(n) == key {
				return firstOf(n.get("username").str(), n.get("custom_id").str())
			}
		}
	}
	return key.name
}
