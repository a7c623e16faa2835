package kubernetes

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"semlb/config/regular"
	"semlb/config/tree"
)

// mountedSecrets is a directory of Kubernetes Secrets as pods have them mounted: a folder
// for each, DIR/NAME or DIR/NAMESPACE/NAME, with a file for each key. "" is none.
type mountedSecrets string

// maxSecretBytes is the size that Kubernetes bounds a Secret to.
const maxSecretBytes = 1 << 20

// objectName matches the names that Kubernetes accepts for most objects.
var objectName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)

// find returns a mounted Secret as Kubernetes' API has it, or nil where there is none.
func (d mountedSecrets) find(key objectKey) (*tree.Node, error) {
	// Only what Kubernetes accepts as a name becomes part of a path.
	if d == "" || !objectName.MatchString(key.name) || key.namespace != "" && !objectName.MatchString(key.namespace) {
		return nil, nil
	}
	for _, folder := range []string{filepath.Join(string(d), key.namespace, key.name), filepath.Join(string(d), key.name)} {
		data, err := mounted(folder)
		if err != nil {
			return nil, fmt.Errorf("read secret %s: %w", key, err)
		}
		if data != nil {
			return secretNode(data), nil
		}
	}
	return nil, nil
}

// mounted returns what the files of a folder hold, by their names, or nil where there
// is no such folder with files. The bytes are exactly those of the files, as they are
// those of the Secret.
func mounted(folder string) (map[string]string, error) {
	// The files are links into "..data", itself a link that Kubernetes replaces:
	// following it once makes all of them those of one version.
	if current, err := filepath.EvalSymlinks(filepath.Join(folder, "..data")); err == nil {
		folder = current
	}
	if info, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || err == nil && !info.IsDir() {
		return nil, nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var data map[string]string
	for _, entry := range entries {
		at := filepath.Join(folder, entry.Name())
		if info, err := os.Stat(at); strings.HasPrefix(entry.Name(), "..") || err == nil && !info.Mode().IsRegular() {
			continue
		}
		content, err := readKey(at)
		if err != nil {
			return nil, err
		}
		if data == nil {
			data = map[string]string{}
		}
		data[entry.Name()] = content
	}
	return data, nil
}

// readKey reads one file of a Secret.
func readKey(path string) (string, error) {
	content, err := regular.Read(path, maxSecretBytes)
	if err == nil && len(content) > maxSecretBytes {
		err = fmt.Errorf("%s: got more than %d bytes", path, maxSecretBytes)
	}
	return string(content), err
}

// secretNode returns a Secret with the label of the credential that its keys are for:
// a mounted one has no labels. The older form names the kind under a key.
func secretNode(data map[string]string) *tree.Node {
	encoded := &tree.Node{Kind: tree.Object}
	for name, value := range data {
		encoded = encoded.With(name, tree.NewString(base64.StdEncoding.EncodeToString([]byte(value))))
	}
	label := &tree.Node{Kind: tree.String, Text: credentialKind(data), Hidden: true}
	labels := tree.NewObject(labelCredential, label)
	return tree.NewObject("metadata", tree.NewObject("labels", labels), "data", encoded)
}

// credentialKind returns the kind of credential that the keys of a Secret are for.
func credentialKind(data map[string]string) string {
	has := func(name string) bool { _, ok := data[name]; return ok }
	switch {
	case has("kongCredType"):
		return strings.TrimSpace(data["kongCredType"])
	case has("password"):
		return "basic-auth"
	case has("secret"), has("rsa_public_key"), has("algorithm"):
		return "jwt"
	case has("group"):
		return "acl"
	default:
		return "key-auth"
	}
}
