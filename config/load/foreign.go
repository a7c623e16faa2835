package load

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"semlb/config/deck"
	"semlb/config/format"
	"semlb/config/tree"
)

// foreignNames are the names of files of other programs, in lower case, and what they are.
var foreignNames = []struct{ pattern, what string }{
	{"docker-compose*.y*ml", "a Docker Compose file"},
	{"compose*.y*ml", "a Docker Compose file"},
	{"kustomization.y*ml", "a Kustomize file"},
	{"chart.y*ml", "a Helm chart"},
	{"values*.y*ml", "Helm values"},
	{"*-values.y*ml", "Helm values"},
	{"*.values.y*ml", "Helm values"},
	{"package*.json", "a Node.js package"},
	{"tsconfig*.json", "a TypeScript configuration"},
	{"*.schema.json", "a JSON Schema"},
}

var (
	// ownText is in files that are meant, whatever their names.
	ownText = regexp.MustCompile(`(?m)^\s*["']?_format_version\b|\b(name|plugin)["']?\s*:\s*["']?ai-proxy-advanced\b|\$\{\{`)
	// helmTemplate matches the actions of Helm's templates.
	helmTemplate = regexp.MustCompile(`\{\{-?\s*(?:[.$/]|(?:if|with|range|end|else|include|template|define|toYaml|tpl)\b)`)
	// requestCommand matches the commands of scripts that are read.
	requestCommand = regexp.MustCompile(`\b(curl|kubectl|deck)\b`)
)

// foreign returns what a file of a directory is, if it plainly has no configuration of
// ours, and "" if it may have one.
func foreign(source Source) string {
	switch ending := endingOf(source.Name); ending {
	case ".sh":
		if !requestCommand.Match(source.Data) {
			return "a script without curl, kubectl and deck"
		}
		return ""
	case ".yaml", ".yml", ".json":
		return foreignDocument(source)
	default:
		return ""
	}
}

func foreignDocument(source Source) string {
	if ownText.Match(source.Data) {
		return ""
	}
	base := strings.ToLower(filepath.Base(source.Name))
	for _, f := range foreignNames {
		if matched, err := path.Match(f.pattern, base); err == nil && matched {
			return f.what
		}
	}
	if helmTemplate.Match(source.Data) {
		return "a Helm template"
	}
	if tree.CheckSize(source.Name, source.Data) != nil {
		return ""
	}
	roots, faults := tree.NewDocument(source.Name, source.Data).Parse()
	if faults != nil || len(roots) == 0 {
		return ""
	}
	what := ""
	for _, root := range roots {
		if what = foreignValue(root); what == "" {
			return ""
		}
	}
	return what
}

// foreignValue returns what a value of a YAML or JSON file is, as foreign does of files.
func foreignValue(root *tree.Node) string {
	const other = "a file of another program"
	services := root.Get("services")
	switch {
	case root.Kind != tree.Object:
		return other
	case root.Get("kind") != nil && strings.HasPrefix(root.Get("apiVersion").Str(), "kustomize.config.k8s.io/"):
		return "a Kustomize file"
	case root.Has("openapi") || root.Has("swagger"):
		return "an OpenAPI document"
	case services != nil && services.Kind == tree.Object && !root.Has("routes") && !root.Has("plugins"):
		return "a Docker Compose file"
	case !isRecognised(root) || isLikeDeckByChance(root):
		return other
	case root.Get("name") != nil && root.Get("apiVersion") == nil && isNoPlugin(root):
		return other
	default:
		return ""
	}
}

// isRecognised reports whether a value is of one of the formats of YAML and JSON.
func isRecognised(root *tree.Node) bool {
	return slices.ContainsFunc(formats, func(f format.Format) bool { return f.Recognise != nil && f.Recognise(root) })
}

// isLikeDeckByChance reports whether a value has no key of decK files, and keys that are
// like one are half of its keys at most: a decK file with a misspelt key has others.
func isLikeDeckByChance(root *tree.Node) bool {
	like := 0
	for _, f := range root.Fields {
		switch {
		case deck.IsKey(f.Name), slices.Contains([]string{"apiVersion", "config", "data", "name"}, f.Name):
			return false
		case isRecognised(tree.NewObject(f.Name, tree.NewString("a value"))):
			like++
		}
	}
	return 2*like <= len(root.Fields)
}

// isNoPlugin reports whether a value with a name has nothing else of a plugin or of a decK
// file, such as the definition of a workflow.
func isNoPlugin(root *tree.Node) bool {
	named := *root
	named.Fields = slices.DeleteFunc(slices.Clone(root.Fields), func(f tree.Field) bool { return f.Name == "name" })
	return len(named.Fields) > 0 && !isRecognised(&named)
}
