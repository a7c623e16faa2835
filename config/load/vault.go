package load

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"semlb/config/format"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

const (
	// vaultOpen starts a reference to a vault.
	vaultOpen = "{vault://"
	// envVault is the kind of vault that is read: variables of the environment.
	envVault = "env"
	// envVaultPrefix is the variable with Kong's own prefix of references to env.
	envVaultPrefix = "KONG_VAULT_ENV_PREFIX"
)

// vault is a name that references use for a kind of vault and its settings.
type vault struct {
	kind, prefix string
	base64       bool
}

// vaults are those that the files declare, by their prefixes.
type vaults map[string]vault

// readVaults returns the vault entities, before anything refers to them.
func readVaults(in *format.Input) vaults {
	all := vaults{}
	for _, item := range in.Items {
		if item.Kind == format.KindVault {
			all.add(&in.Report, item)
		}
	}
	return all
}

// add adds a vault. One of a kind that is not supported is a fault where a reference
// names it.
func (v vaults) add(r *report.Report, item format.Item) {
	before := r.Count()
	schema.Check(r, item.Path, schema.Vault, item.Node)
	if r.Count() > before || item.Node.Broken {
		return
	}
	name := item.Node.Get("prefix").Str()
	if _, taken := v[name]; taken || name == envVault {
		r.Problem(item.Node.Pos, report.Join(item.Path, "prefix"), "got a second vault of the same prefix")
		return
	}
	settings := item.Node.Get("config")
	decode := settings.Get("base64_decode").OrObject(item.Node.Pos).Text == "true" // of forms a text
	v[name] = vault{kind: item.Node.Get("name").Str(), prefix: settings.Get("prefix").Str(), base64: decode}
}

// otherVaults are Kong's kinds of vaults that are not supported.
var otherVaults = []string{"aws", "azure", "conjur", "gcp", "hcv", "konnect"}

// reference is a reference to a vault: {vault://name/resource/key?prefix=P_#2}.
type reference struct {
	vault
	resource, key string
	// previous references are to the version before the current one.
	previous bool
}

// referencePattern matches a reference without its braces.
var referencePattern = regexp.MustCompile(`^\{vault://([\w.-]+)/([^?#{}\s]+)(\?[^#{}\s]*)?(#[12])?\}$`)

var errMalformedReference = errors.New("got a malformed vault reference, want the form {vault://env/my-key} or {vault://env/my-key/field}")

// reference returns what a text refers to.
func (r resolver) reference(text string) (reference, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, vaultOpen) || !strings.HasSuffix(text, "}") {
		return reference{}, errors.New("a vault reference must be the whole value")
	}
	m := referencePattern.FindStringSubmatch(text)
	if m == nil {
		return reference{}, errMalformedReference
	}
	ref := reference{resource: strings.TrimSuffix(m[2], "/"), previous: m[4] == "#2"}
	if last := strings.LastIndexByte(m[2], '/'); last >= 0 {
		ref.resource, ref.key = m[2][:last], m[2][last+1:]
	}
	var err error
	if ref.vault, err = r.vaultNamed(m[1]); err != nil {
		return reference{}, err
	}
	query, err := url.ParseQuery(strings.TrimPrefix(m[3], "?"))
	if err != nil {
		return reference{}, errMalformedReference
	}
	if query.Has("prefix") {
		ref.prefix = query.Get("prefix")
	}
	if query.Has("base64_decode") {
		ref.base64 = query.Get("base64_decode") == "true"
	}
	return ref, nil
}

func (r resolver) vaultNamed(name string) (vault, error) {
	v, declared := r.vaults[name]
	switch {
	case declared && v.kind == envVault:
		return v, nil
	case name == envVault:
		prefix, _ := r.Env(envVaultPrefix)
		return vault{kind: envVault, prefix: prefix}, nil
	case declared || slices.Contains(otherVaults, name):
		return vault{}, errors.New("not supported yet: a vault other than env")
	default:
		return vault{}, errors.New("no vault of this prefix is in the files")
	}
}

// variableName matches the names of variables.
var variableName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)

// variable returns the name of the variable that is referred to.
func (ref reference) variable() (string, error) {
	name := ref.prefix + ref.resource
	if ref.previous {
		name += "_PREVIOUS"
	}
	name = strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	if !variableName.MatchString(name) {
		return "", errMalformedReference
	}
	return name, nil
}

// fromVault returns the value of a reference.
func (r resolver) fromVault(f *schema.Field, text string) (string, error) {
	if !f.Vault {
		return "", errors.New("got a vault reference, which this field does not support")
	}
	ref, err := r.reference(text)
	if err != nil {
		return "", err
	}
	name, err := ref.variable()
	if err != nil {
		return "", err
	}
	value, err := r.variable(name)
	if err != nil {
		return "", err
	}
	if ref.base64 {
		decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
		if err != nil {
			return "", fmt.Errorf("%s: got a value that is no base64", report.Shorten(name))
		}
		value = string(decoded)
	}
	if ref.key == "" {
		return value, nil
	}
	return member(name, value, ref.key)
}

// member returns a field of a variable whose value is a JSON object. Errors quote nothing
// of it.
func member(name, value, key string) (string, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(value), &object); err != nil || object == nil {
		return "", fmt.Errorf("%s: got a value that is no JSON object", report.Shorten(name))
	}
	raw, ok := object[key]
	var text string
	switch {
	case !ok:
		return "", fmt.Errorf("%s: its JSON has no field %s", report.Shorten(name), report.Quote(key))
	case json.Unmarshal(raw, &text) == nil && text != "":
		return text, nil
	case tree.IsNumber(string(raw)), string(raw) == "true", string(raw) == "false":
		return string(raw), nil
	default:
		return "", fmt.Errorf("%s: got a field %s that is no text", report.Shorten(name), report.Quote(key))
	}
}

// converted returns a reference for a configuration in another format, which has no
// vault entities: it names the variable by the vault env.
func (r resolver) converted(n *tree.Node) (string, error) {
	ref, err := r.reference(n.Text)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(n.Text, vaultOpen+envVault+"/") {
		return n.Text, nil
	}
	text := vaultOpen + envVault + "/" + ref.prefix + ref.resource
	if ref.key != "" {
		text += "/" + ref.key
	}
	if ref.base64 {
		text += "?base64_decode=true"
	}
	if ref.previous {
		text += "#2"
	}
	return text + "}", nil
}
