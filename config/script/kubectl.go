package script

import (
	"fmt"
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
	namespace shell.Word
}

func newKubectlFlags() *kubectlFlags {
	k := &kubectlFlags{flagReader: newFlagReader("kubectl")}
	k.take("namespace", "n", func(w shell.Word) { k.namespace = w })
	k.ignore(
		"filename,f", "kustomize,k", "selector,l", "output,o", "server,s", "v,v", "as", "as-group", "as-uid", "cache-dir",
		"certificate-authority", "client-certificate", "client-key", "cluster", "context", "field-manager",
		"field-selector", "kubeconfig", "request-timeout", "resource-version", "template", "timeout",
		"tls-server-name", "token", "user", "grace-period", "prune-allowlist",
	)
	k.switches("all-namespaces,A", "recursive,R", "help,h")
	return k
}

// kubectlReader reads the kubectl commands of a script.
type kubectlReader struct{ *scriptReader }

// kubectl reads what a command applies, or what it annotates. It reports whether it is
// such a command.
func (s kubectlReader) kubectl(pos config.Position, words, input []shell.Word) bool {
	s.kubectlFlags.namespace = shell.Word{}
	rest := s.kubectlFlags.parse(words)
	if len(rest) == 0 {
		return false
	}
	namespace := s.argument(pos, s.kubectlFlags.namespace)
	switch verb := rest[0].Plain(); {
	case (verb == "apply" || verb == "create" || verb == "replace") && len(rest) == 1 && len(input) > 0:
		s.apply(namespace, input)
	case verb == "annotate":
		var args []*tree.Node
		for _, w := range rest[1:] {
			args = append(args, s.argument(pos, w))
		}
		s.annotate(pos, namespace, args)
	default:
		return false
	}
	return true
}

// argument returns a word as a string, with the variables filled in that are known. One
// with a variable is hidden.
func (s kubectlReader) argument(pos config.Position, w shell.Word) *tree.Node {
	text, filled := s.plain(w)
	n := format.StringAt(pos, text)
	n.Hidden = filled
	return n
}

// apply reads the resources that are piped into kubectl. Those that name no namespace are
// in that of the command.
func (s kubectlReader) apply(namespace *tree.Node, words []shell.Word) {
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
		if meta := root.Get("metadata"); namespace.Text != "" && meta != nil && !meta.Has("namespace") {
			root = root.With("metadata", meta.With("namespace", namespace))
		}
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

// otherKinds are the kinds that messages show beside those of kubectlKinds. Every other
// word may be a credential.
var otherKinds = []string{"configmap", "deployment", "gateway", "gatewayclass", "kongplugin", "namespace", "node", "pod", "secret", "serviceaccount"}

// shownKind returns what a message calls a resource of a kind that is ignored.
func shownKind(resource *tree.Node, kind string) string {
	if resource.Hidden || !slices.Contains(otherKinds, strings.ToLower(kind)) {
		return "a resource"
	}
	return fmt.Sprintf("resource %q", kind)
}

// annotate reads annotations of resources: KIND NAME… KEY=VALUE… or KIND/NAME…
// KEY=VALUE….
func (s kubectlReader) annotate(pos config.Position, namespace *tree.Node, args []*tree.Node) {
	first := slices.IndexFunc(args, func(a *tree.Node) bool { return strings.Contains(a.Text, "=") || strings.HasSuffix(a.Text, "-") })
	if first < 0 {
		first = len(args)
	}
	resources, annotations := args[:first], args[first:]
	if len(resources) > 0 && !strings.Contains(resources[0].Text, "/") {
		for i := 1; i < len(resources); i++ {
			hidden := resources[0].Hidden || resources[i].Hidden
			resources[i] = resources[i].WithText(resources[0].Text + "/" + resources[i].Text)
			resources[i].Hidden = hidden
		}
		resources = resources[1:]
	}
	if len(resources) == 0 || len(annotations) == 0 {
		s.Warn(pos, "", "add the name of the resource: kubectl annotate KIND NAME …")
		return
	}
	for _, resource := range resources {
		kind, name, _ := strings.Cut(resource.Text, "/")
		kind, _, _ = strings.Cut(kind, ".") // the API group
		known := kubectlKinds[strings.ToLower(kind)]
		if known == "" {
			s.Warn(pos, "", shownKind(resource, kind)+" is ignored")
			continue
		}
		meta := tree.NewObject("namespace", namespace, "name", resource.WithText(name))
		root := annotated(pos, known, meta, annotations)
		s.Dispatch(format.Document{Name: s.name, Root: root.AsArgument(), Partial: true})
	}
}

// annotated returns a resource with annotations and nothing else.
func annotated(pos config.Position, kind string, meta *tree.Node, annotations []*tree.Node) *tree.Node {
	all := &tree.Node{Kind: tree.Object, Pos: pos}
	for _, a := range annotations {
		if key, value, ok := strings.Cut(a.Text, "="); ok {
			all = all.With(key, a.WithText(value))
			all.Fields[len(all.Fields)-1].Hidden = a.Hidden
		}
	}
	root := tree.NewObject("apiVersion", format.StringAt(pos, "v1"), "kind", format.StringAt(pos, kind), "metadata", meta.With("annotations", all))
	return root.WithPos(pos)
}
