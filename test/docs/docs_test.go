package docs

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"semlb/cli"
	"semlb/config/configtest"
	"semlb/config/load"
	"semlb/config/schema"
	"semlb/test/golden"
)

const root = "../.."

// documents are the ones at the top and all of docs/.
func documents(t *testing.T) []document {
	t.Helper()
	var all []document
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, file := range files {
			name, err := filepath.Rel(root, file)
			require.NoError(t, err)
			d, err := readDocument(root, name)
			require.NoError(t, err)
			all = append(all, d)
		}
	}
	require.GreaterOrEqual(t, len(all), 4)
	return all
}

// page is one document, by its path.
func page(t *testing.T, path string) document {
	t.Helper()
	d, err := readDocument(root, path)
	require.NoError(t, err)
	return d
}

// maxReadme is the size of a front page, in bytes.
const maxReadme = 8 << 10

func TestTheReadmeIsAFrontPage(t *testing.T) {
	require.LessOrEqual(t, len(page(t, "README.md").text), maxReadme)
}

func TestTheIndexLinksEveryPage(t *testing.T) {
	linked := make(map[string]bool)
	for _, l := range page(t, "docs/README.md").links() {
		linked[l.target] = true
	}
	for _, d := range documents(t) {
		if path.Dir(d.path) == "docs" && d.path != "docs/README.md" {
			require.True(t, linked[d.path], "docs/README.md does not link %s", d.path)
		}
	}
}

// run runs a semlb command in this process.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	env := cli.Environment{Stdout: &out, Stderr: &errs, LookupEnv: placeholder}
	code = cli.Main(t.Context(), args, env)
	return out.String(), errs.String(), code
}

// placeholder stands for every secret.
func placeholder(string) (string, bool) { return "placeholder", true }

func TestLinksLeadSomewhere(t *testing.T) {
	for _, d := range documents(t) {
		for _, l := range d.links() {
			info, err := os.Stat(filepath.Join(root, l.target))
			require.NoError(t, err, "%s: link %q", d.path, l.text)
			if l.anchor != "" && !info.IsDir() {
				target, err := readDocument(root, l.target)
				require.NoError(t, err)
				require.Contains(t, target.anchors(), l.anchor, "%s: link %q", d.path, l.text)
			}
		}
	}
}

var identifier = regexp.MustCompile("^`([A-Za-z][A-Za-z0-9]*)`$")

func TestLinkedFunctionsAreInTheirFiles(t *testing.T) {
	for _, d := range documents(t) {
		for _, l := range d.links() {
			m := identifier.FindStringSubmatch(l.text)
			if m == nil || path.Ext(l.target) != ".go" {
				continue
			}
			source, err := os.ReadFile(filepath.Join(root, l.target))
			require.NoError(t, err)
			require.Regexp(t, `(?m)^func (\([^)]*\) )?`+m[1]+`\(`, string(source), "%s: %s in %s", d.path, m[1], l.target)
		}
	}
}

var (
	namedPath = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*/?$`)
	fileNames = []string{".go", ".md", ".sh", ".yaml", ".yml", ".json", ".mod", ".proto"}
	// shownOnly are names of files that a reader is to make.
	shownOnly = []string{"kong.yaml", "bootstrap.json", "envoy.json", "state.yaml"}
)

// tracked are the files of the repository, and their folders.
func tracked(t *testing.T) map[string]bool {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err)
	all := make(map[string]bool)
	for _, file := range strings.Fields(string(out)) {
		for ; file != "."; file = path.Dir(file) {
			all[file] = true
		}
	}
	return all
}

func TestNamedFilesExist(t *testing.T) {
	files := tracked(t)
	for _, d := range documents(t) {
		for _, span := range codeSpan.FindAllStringSubmatch(d.prose, -1) {
			name := strings.TrimSuffix(span[1], "/")
			top, _, deep := strings.Cut(name, "/")
			isFile := path.Ext(name) != name && slices.Contains(fileNames, path.Ext(name)) && !slices.Contains(shownOnly, name)
			if namedPath.MatchString(span[1]) && (isFile || (deep && files[top])) {
				require.True(t, files[name], "%s: `%s` does not exist", d.path, span[1])
			}
		}
	}
}

var makeCall = regexp.MustCompile(`^make ([a-z0-9 ./_-]+)$`)

func TestMakeTargetsExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	seen := 0
	for _, d := range documents(t) {
		for _, line := range d.code() {
			m := makeCall.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			for _, target := range strings.Fields(m[1]) {
				pattern := `(?m)^` + regexp.QuoteMeta(target) + `:`
				if strings.HasPrefix(target, ".tools/envoy-") {
					pattern = `(?m)^\.tools/envoy-%/envoy:`
				}
				require.Regexp(t, pattern, string(makefile), "%s: make %s", d.path, target)
				seen++
			}
		}
	}
	require.Greater(t, seen, 10)
}

func TestEveryMakeTargetIsInContributing(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	d, err := readDocument(root, "CONTRIBUTING.md")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9-]+):.*## `).FindAllStringSubmatch(string(makefile), -1) {
		if m[1] != "help" {
			if !strings.Contains(d.text, "make "+m[1]) { // the text itself would fill the screen
				t.Errorf("CONTRIBUTING.md does not name make %s", m[1])
			}
		}
	}
}

var (
	semlbCall = regexp.MustCompile(`^(?:bin/)?semlb ([a-z]+)((?: .*)?)$`)
	flag      = regexp.MustCompile(`(?:^|\s)(--?[a-z][a-z-]*)`)
	quoted    = regexp.MustCompile(`"[^"]*"`)
)

// flagsOf are the flags of a command, as its help lists them.
func flagsOf(t *testing.T, command string) []string {
	t.Helper()
	help, _, code := run(t, command, "--help")
	require.Zero(t, code)
	require.Contains(t, help, "semlb "+command, "semlb %s is no command", command)
	var flags []string
	for _, m := range regexp.MustCompile(`(?m)^ +(?:(-[a-z]), | +)(--[a-z-]+)`).FindAllStringSubmatch(help, -1) {
		flags = append(flags, m[1], m[2])
	}
	return flags
}

func TestCommandsAndFlagsExist(t *testing.T) {
	seen := 0
	for _, d := range documents(t) {
		for _, line := range d.code() {
			m := semlbCall.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			flags := flagsOf(t, m[1])
			for _, f := range flag.FindAllStringSubmatch(quoted.ReplaceAllString(m[2], ""), -1) {
				require.Contains(t, flags, f[1], "%s: %s", d.path, line)
			}
			seen++
		}
	}
	require.Greater(t, seen, 10)
}

// A flag that is named alone belongs to some command.
func TestBareFlagsExist(t *testing.T) {
	var flags []string
	for _, command := range []string{"run", "serve", "envoy", "explain", "validate"} {
		flags = append(flags, flagsOf(t, command)...)
	}
	for _, d := range documents(t) {
		for _, span := range codeSpan.FindAllStringSubmatch(d.prose, -1) {
			if !strings.HasPrefix(span[1], "--") {
				continue
			}
			for _, f := range flag.FindAllStringSubmatch(span[1], -1) {
				require.Contains(t, flags, f[1], "%s: `%s`", d.path, span[1])
			}
		}
	}
}

func TestEveryCommandIsInTheDocuments(t *testing.T) {
	var text strings.Builder
	for _, d := range documents(t) {
		text.WriteString(d.text)
	}
	help, _, _ := run(t, "--help")
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+) +[A-Z]`).FindAllStringSubmatch(help, -1) {
		if !slices.Contains([]string{"help", "completion", "version"}, m[1]) {
			if !strings.Contains(text.String(), "semlb "+m[1]) { // the text itself would fill the screen
				t.Errorf("no document names semlb %s", m[1])
			}
		}
	}
}

func TestConfigurationsInTheDocumentsLoad(t *testing.T) {
	seen := 0
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			if b.language != "yaml" || !strings.Contains(b.text, "_format_version") {
				continue
			}
			_, warnings, err := load.Sources([]load.Source{{Name: d.path, Data: []byte(b.text)}}, load.Options{Env: placeholder})
			require.NoError(t, err, "%s:%d", d.path, b.line)
			require.Empty(t, configtest.BesideReach(warnings), "%s:%d", d.path, b.line)
			seen++
		}
	}
	require.Positive(t, seen)
}

// The page about the example shows it with one target: every line is one of the file's.
func TestThePageAboutTheExampleShowsIt(t *testing.T) {
	example, err := os.ReadFile(filepath.Join(root, "examples/deck/global.yaml"))
	require.NoError(t, err)
	for _, b := range page(t, "docs/example.md").blocks {
		if b.language != "yaml" {
			continue
		}
		for _, line := range strings.Split(b.text, "\n") {
			require.Contains(t, strings.Split(string(example), "\n"), line)
		}
	}
}

func TestExtensionsAreInTheirTable(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "config/schema/extensions.json"))
	require.NoError(t, err)
	var extensions struct {
		Fields map[string]struct {
			Default any
			Allowed []string
		}
	}
	require.NoError(t, json.Unmarshal(data, &extensions))
	require.NotEmpty(t, extensions.Fields)
	text := page(t, "docs/extensions.md").text
	for name, field := range extensions.Fields {
		row := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(name) + "` \\|.*$").FindString(text)
		require.NotEmpty(t, row, "%s is not in the table of extensions", name)
		for _, value := range field.Allowed {
			require.Contains(t, row, "`"+value+"`")
		}
	}
}

// Pages name the values that the schema accepts and those that it refuses.
func TestLimitsAreThoseOfTheSchema(t *testing.T) {
	tables, err := schema.For("")
	require.NoError(t, err)
	limits := page(t, "docs/limits.md").text
	for label, path := range map[string]string{
		"Algorithms": "config.balancer.algorithm",
		"Providers":  "config.targets[].model.provider",
		"Stores":     "config.vectordb.strategy",
	} {
		f := tables.Plugin.Find(path)
		row := regexp.MustCompile(`\n- \*\*` + label + `:\*\* (.*?)\. Not (.*?)\.`).FindStringSubmatch(limits)
		require.NotNil(t, row, label)
		require.ElementsMatch(t, f.Supported(), inBackquotes(row[1]), "docs/limits.md, %s", label)
		require.ElementsMatch(t, refused(f), inBackquotes(row[2]), "docs/limits.md, %s, behind Not", label)
	}
	algorithms := regexp.MustCompile(`the algorithms ([^.]*)`).FindStringSubmatch(page(t, "README.md").text)
	require.NotNil(t, algorithms)
	require.ElementsMatch(t, refused(tables.Plugin.Find("config.balancer.algorithm")), inBackquotes(algorithms[1]), "README.md")
}

// refused returns the values of a field that are not supported.
func refused(f *schema.Field) []string {
	var all []string
	for _, v := range f.Values {
		if v.Unsupported != "" {
			all = append(all, v.Text)
		}
	}
	return all
}

func inBackquotes(text string) []string {
	var all []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// compose is what this test reads of docker-compose.yaml.
type compose struct {
	Services map[string]struct {
		Command []string
		Volumes []string

		User     string
		ReadOnly bool     `yaml:"read_only"`
		CapDrop  []string `yaml:"cap_drop"`
		Memory   string   `yaml:"mem_limit"`
	}
	Configs map[string]struct{ Content string }
}

func readCompose(t *testing.T) compose {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "docker-compose.yaml"))
	require.NoError(t, err)
	var c compose
	require.NoError(t, yaml.Unmarshal(data, &c))
	return c
}

func TestComposeCommandsHaveTheirFlags(t *testing.T) {
	c := readCompose(t)
	for _, name := range []string{"semlb", "demo"} {
		command := c.Services[name].Command
		require.NotEmpty(t, command)
		flags := flagsOf(t, command[0])
		for _, argument := range command[1:] {
			f, _, _ := strings.Cut(argument, "=")
			require.Contains(t, flags, f, "service %s", name)
		}
	}
	for _, volume := range c.Services["semlb"].Volumes {
		source, _, _ := strings.Cut(volume, ":")
		require.FileExists(t, filepath.Join(root, source))
	}
}

// TestContainersHaveLeastRights: a user of their own who is not root, a root that they cannot
// write to, and no capability; those that serve requests have a limit of memory.
func TestContainersHaveLeastRights(t *testing.T) {
	services := readCompose(t).Services
	require.NotEmpty(t, services)
	for name, s := range services {
		if name != "semlb" && name != "demo" { // these have that of the Dockerfile
			require.Regexp(t, `^[1-9]\d*:[1-9]\d*$`, s.User, name)
		}
		require.True(t, s.ReadOnly, name)
		require.Equal(t, []string{"ALL"}, s.CapDrop, name)
	}
	require.NotEmpty(t, services["envoy"].Memory)
	require.NotEmpty(t, services["semlb"].Memory)
	file, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	require.NoError(t, err)
	require.Regexp(t, `(?m)^USER [1-9]\d*:[1-9]\d*$`, string(file))
}

func TestTheBootstrapOfComposeIsUpToDate(t *testing.T) {
	want, stderr, code := run(t, "envoy", "--grpc-listen", "127.0.0.1:8081")
	require.Zero(t, code, stderr)
	shown := readCompose(t).Configs["bootstrap"].Content
	if golden.Updates() {
		file := filepath.Join(root, "docker-compose.yaml")
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(text), indent(shown))
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), indent(shown), indent(want), 1)), 0o644))
		return
	}
	require.Equal(t, want, shown, "docker-compose.yaml: run make generate")
}

// indent makes lines the content of a block in docker-compose.yaml.
func indent(lines string) string {
	return regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(lines, "      $1")
}

// machine matches folders of a developer's machine, and hosts of package registries.
var machine = regexp.MustCompile(`(?i)/(work|root|home)/|/tmp/[a-z]+clone|pypi\.org|npmjs|proxy\.golang|pythonhosted`)

func TestDocumentsNameNoMachine(t *testing.T) {
	for _, d := range documents(t) {
		require.Empty(t, machine.FindString(d.text), d.path)
	}
}
