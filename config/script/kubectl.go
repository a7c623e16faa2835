package script

import (
	"fmt"
	"path"
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
	// dryRun is the kind of dry run, or "none".
	dryRun string
	// overwrite permits to change annotations that are there.
	overwrite bool
	// files are those of --filename.
	files []shell.Word
	// recursive takes the files below directories too.
	recursive bool
	// kustomize is the directory of --kustomize.
	kustomize shell.Word
	// selected is set where resources are given by --all or --selector.
	selected bool
}

func newKubectlFlags() *kubectlFlags {
	k := &kubectlFlags{flagReader: newFlagReader("kubectl")}
	k.take("namespace", "n", func(w shell.Word) { k.namespace = w })
	k.take("filename", "f", func(w shell.Word) { k.files = append(k.files, w) })
	k.take("kustomize", "k", func(w shell.Word) { k.kustomize = w })
	k.take("selector", "l", func(shell.Word) { k.selected = true })
	k.set.BoolVar(&k.selected, "all", false, "")
	k.set.BoolVar(&k.overwrite, "overwrite", false, "")
	k.set.StringVar(&k.dryRun, "dry-run", "none", "")
	k.set.Lookup("dry-run").NoOptDefVal = "client"
	k.ignore(
		"output,o", "server,s", "v,v", "as", "as-group", "as-uid", "cache-dir",
		"certificate-authority", "client-certificate", "client-key", "cluster", "context", "field-manager",
		"field-selector", "kubeconfig", "request-timeout", "resource-version", "template", "timeout",
		"tls-server-name", "token", "user", "grace-period", "prune-allowlist",
	)
	k.set.BoolVarP(&k.recursive, "recursive", "R", false, "")
	k.switches("all-namespaces,A", "help,h")
	return k
}

// kubectlReader reads the kubectl commands of a script.
type kubectlReader struct{ fileReader }

// kubectl reads what a command applies, or what it annotates. It reports whether it is
// such a command.
func (s kubectlReader) kubectl(pos config.Position, words []shell.Word, input shell.Word) bool {
	k := s.kubectlFlags
	*k = kubectlFlags{flagReader: k.flagReader, dryRun: "none"}
	rest := k.parse(words)
	if len(rest) == 0 {
		return false
	}
	namespace := s.argument(pos, k.namespace)
	var args []*tree.Node
	for _, w := range rest[1:] {
		args = append(args, s.argument(pos, w))
	}
	switch verb := rest[0].Plain(); {
	case slices.Contains([]string{"client", "server", "true"}, k.dryRun):
		return slices.Contains([]string{"annotate", "apply", "create", "delete", "label", "patch", "replace"}, verb)
	case slices.Contains(applying, verb) && len(rest) == 1:
		return s.applies(pos, namespace, input)
	case slices.Contains(applying, verb) && slices.ContainsFunc(rest[1:], s.isOpen):
		s.Problem(pos, "", "not supported yet: kubectl applies what only a shell knows")
	case verb == "annotate":
		s.annotate(pos, namespace, args)
	case s.changes(verb, args), verb == "delete" && len(rest) == 1 && len(k.files)+len(input.Pieces) > 0 && s.made:
		s.Problem(pos, "", "not supported yet: kubectl %s of a resource of a kind that is read", verb)
	default:
		return false
	}
	return true
}

// pluginKinds are the kinds of plugins and of what they refer to, as kubectl takes them.
var pluginKinds = []string{
	"kongplugin", "kongplugins", "kp", "kongclusterplugin", "kongclusterplugins", "kcp", "kongvault", "kongvaults", "kv",
	"secret", "secrets",
}

// changes reports whether a command may change or delete something that is read. Before
// the script makes anything it only cleans up.
func (s kubectlReader) changes(verb string, args []*tree.Node) bool {
	if len(args) == 0 || verb != "patch" && (verb != "delete" && verb != "label" || !s.made) {
		return false
	}
	for _, kinds := range args {
		kinds, _, _ := strings.Cut(kinds.Text, "/")
		for kind := range strings.SplitSeq(strings.ToLower(kinds), ",") {
			kind, _, _ = strings.Cut(kind, ".")
			if slices.Contains(pluginKinds, kind) || verb != "label" && kubectlKinds[kind] != "" {
				return true
			}
		}
	}
	return false
}

// argument returns a word as a string, with the variables filled in that are known. One
// with a variable is hidden.
func (s kubectlReader) argument(pos config.Position, w shell.Word) *tree.Node {
	text, filled := s.plain(w)
	n := format.StringAt(pos, text)
	n.Hidden = filled
	return n
}

// applying are the verbs that make the resources of files.
var applying = []string{"apply", "create", "replace"}

// applies reads the resources that a command makes of files and of what it reads. It
// reports whether it is such a command.
func (s kubectlReader) applies(pos config.Position, namespace *tree.Node, input shell.Word) bool {
	k := s.kubectlFlags
	read := false
	for _, w := range k.files {
		name, _ := s.plain(w)
		switch {
		case name == "-" && input.Pieces == nil:
			s.Problem(pos, "", "not supported yet: kubectl applies what only a shell knows")
		case name != "-" && isAddress(name):
			continue
		case name != "-":
			s.applyFile(pos, namespace, w)
		default:
			s.apply(namespace, input)
		}
		read = true
	}
	switch directory := k.kustomize.Plain(); {
	case directory != "" && !isAddress(directory):
		s.Problem(pos, "", "not supported yet: kubectl apply -k: give what kubectl kustomize prints, with -c")
		read = true
	case len(k.files) == 0 && input.Pieces != nil:
		s.apply(namespace, input)
		read = true
	}
	s.made = s.made || read
	return read
}

// applyFile reads the resources of a file beside the script.
func (s kubectlReader) applyFile(pos config.Position, namespace *tree.Node, name shell.Word) {
	file, _ := name.File()
	plain, _ := s.plain(name)
	if _, written := s.written[path.Clean(plain)]; written {
		s.apply(namespace, file)
		return
	}
	for _, f := range s.beside(pos, "kubectl", plain, s.kubectlFlags.recursive) {
		if doc := s.documentOf(f); doc != nil {
			s.resources(namespace, doc)
		}
	}
}

// apply reads the resources that are piped into kubectl.
func (s kubectlReader) apply(namespace *tree.Node, text shell.Word) {
	doc := s.document(text)
	if doc == nil {
		return
	}
	s.resources(namespace, doc)
}

// resources reads the resources of a document. Those that name no namespace are in that
// of the command.
func (s kubectlReader) resources(namespace *tree.Node, doc *tree.Document) {
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
	"kongconsumer": "KongConsumer", "kongconsumers": "KongConsumer", "kc": "KongConsumer",
	"kongconsumergroup": "KongConsumerGroup", "kongconsumergroups": "KongConsumerGroup", "kcg": "KongConsumerGroup",
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
