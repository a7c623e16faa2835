package script

import (
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/script/shell"
	"semlb/config/tree"
)

// kubectlFlags are the flags of one kubectl command.
type kubectlFlags struct {
	*flagReader
	namespace string
}

func newKubectlFlags() *kubectlFlags {
	k := &kubectlFlags{flagReader: newFlagReader("kubectl")}
	k.take("namespace", "n", func(w shell.Word) { k.namespace = w.Plain() })
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
func (s *scriptReader) kubectl(pos config.Position, words, input []shell.Word) bool {
	s.kubectlFlags.namespace = ""
	var rest []string
	for _, w := range s.kubectlFlags.parse(words) {
		rest = append(rest, w.Plain())
	}
	switch {
	case len(rest) == 0:
		return false
	case rest[0] == "apply" && len(input) > 0:
		s.apply(input)
	case rest[0] == "annotate":
		s.annotate(pos, s.kubectlFlags.namespace, rest[1:])
	default:
		return false
	}
	return true
}

// apply reads the resources that are piped into kubectl.
func (s *scriptReader) apply(words []shell.Word) {
	all := shell.Word{}
	for _, w := range words {
		all.Pieces = append(all.Pieces, w.Pieces...)
	}
	doc := s.document(all)
	if doc == nil {
		return
	}
	roots, faults := doc.Parse()
	s.Add(faults...)
	for _, root := range roots {
		s.Dispatch(format.Document{Name: s.name, Root: root.AsArgument()})
	}
}

// kubectlKinds are the kinds that plugins are bound to, as kubectl takes them.
var kubectlKinds = map[string]string{
	"service": "Service", "services": "Service", "svc": "Service",
	"ingress": "Ingress", "ingresses": "Ingress", "ing": "Ingress",
	"httproute": "HTTPRoute", "httproutes": "HTTPRoute",
	"kongconsumer": "KongConsumer", "kongconsumers": "KongConsumer",
	"kongconsumergroup": "KongConsumerGroup", "kongconsumergroups": "KongConsumerGroup",
}

// annotate reads annotations of resources: KIND NAME… KEY=VALUE… or KIND/NAME…
// KEY=VALUE….
func (s *scriptReader) annotate(pos config.Position, namespace string, args []string) {
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
		s.Warn(pos, "", "add the name of the resource: kubectl annotate KIND NAME …")
		return
	}
	for _, resource := range resources {
		kind, name, _ := strings.Cut(resource, "/")
		kind, _, _ = strings.Cut(kind, ".") // the API group
		known := kubectlKinds[strings.ToLower(kind)]
		if known == "" {
			s.Warn(pos, "", named("resource", kind)+" is ignored")
			continue
		}
		root := annotated(pos, known, tree.NewObject("namespace", tree.NewString(namespace), "name", tree.NewString(name)), annotations)
		s.Dispatch(format.Document{Name: s.name, Root: root.AsArgument(), Partial: true})
	}
}

// annotated returns a resource with annotations and nothing else.
func annotated(pos config.Position, kind string, meta *tree.Node, annotations []string) *tree.Node {
	all := &tree.Node{Kind: tree.Object, Pos: pos}
	for _, a := range annotations {
		if key, value, ok := strings.Cut(a, "="); ok {
			all = all.With(key, format.StringAt(pos, value))
		}
	}
	root := tree.NewObject("apiVersion", format.StringAt(pos, "v1"), "kind", format.StringAt(pos, kind), "metadata", meta.With("annotations", all))
	return root.WithPos(pos)
}
