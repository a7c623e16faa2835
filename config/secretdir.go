package config

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
)

// secretDir is a directory of Kubernetes Secrets as pods have them mounted: a folder
// for each, DIR/NAME or DIR/NAMESPACE/NAME, with a file for each key. "" is none.
type secretDir string

// maxSecretBytes is the size that Kubernetes bounds a Secret to.
const maxSecretBytes = 1 << 20

// SecretFiles returns the files in and below a directory of mounted Secrets, for
// watching them.
func SecretFiles(dir string) ([]string, error) { return filesBelow(dir, nil) }

// secret returns a mounted Secret in the form that Kubernetes' API has it, or nil
// where there is none.
func (d secretDir) secret(key objectKey) (*node, error) {
	// Only what Kubernetes takes as a name becomes part of a path.
	if d == "" || !isObjectName(key.name) || key.namespace != "" && !isObjectName(key.namespace) {
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

// isObjectName reports whether Kubernetes takes a text as the name of an object.
func isObjectName(text string) bool {
	return regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`).MatchString(text)
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
		content, err := readFile(at, maxSecretBytes)
		if err == nil && len(content) > maxSecretBytes {
			err = fmt.Errorf("%s: got more than %d bytes", at, maxSecretBytes)
		}
		if err != nil {
			return nil, err
		}
		if data == nil {
			data = map[string]string{}
		}
		data[entry.Name()] = string(content)
	}
	return data, nil
}

// secretNode returns a Secret with the label of the credential that its keys are for:
// a mounted one has no labels. The older form names the kind under a key.
func secretNode(data map[string]string) *node {
	encoded := &node{kind: kindObject}
	for name, value := range data {
		encoded = encoded.with(name, text(base64.StdEncoding.EncodeToString([]byte(value))))
	}
	has := func(name string) bool { _, ok := data[name]; return ok }
	kind := "key-auth"
	switch {
	case has("kongCredType"):
		kind = strings.TrimSpace(data["kongCredType"])
	case has("password"):
		kind = "basic-auth"
	case has("secret"), has("rsa_public_key"), has("algorithm"):
		kind = "jwt"
	}
	label := &node{kind: kindString, text: kind, hidden: true}
	return object("metadata", object("labels", object(labelCredential, label)), "data", encoded)
}

// secret returns a Secret of the files, or else one that is mounted; it is nil where
// there is neither.
func (l *loader) secret(key objectKey, ref *node, path string) *node {
	if known, ok := l.cluster.secrets[key]; ok {
		return known
	}
	found, err := l.secretDir.secret(key)
	if err != nil {
		l.problem(ref.pos, path, "%s", err)
	}
	l.cluster.secrets[key] = found
	return found
}

// noSecret says that a Secret, or a key of it, is not there, and where it was sought.
func (l *loader) noSecret(what string) string {
	if l.secretDir == "" {
		return what + " in the files"
	}
	return what + " in the files or in " + string(l.secretDir)
}
