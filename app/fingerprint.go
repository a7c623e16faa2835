package app

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"semlb/config/load"
)

// fingerprint differs whenever a file of the configuration may have changed, or a
// mounted Secret that it may refer to.
type fingerprint [sha256.Size]byte

// fingerprintOf is the fingerprint of configuration files and of a directory of
// Secrets; the latter may be empty.
func fingerprintOf(files []string, secretsDir string) fingerprint {
	all, err := load.List(files...)
	if secretsDir != "" && err == nil {
		var secrets []string
		secrets, err = load.SecretFiles(secretsDir)
		all = append(all, secrets...)
	}
	h := sha256.New()
	for _, file := range all {
		writeState(h, file)
	}
	fmt.Fprintln(h, err)
	return fingerprint(h.Sum(nil))
}

// stateOf is what distinguishes a file from earlier versions of it.
func stateOf(path string) string {
	var b strings.Builder
	writeState(&b, path)
	return b.String()
}

// writeState writes what distinguishes a file from earlier versions of it.
func writeState(w io.Writer, path string) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		fmt.Fprintln(w, path, "absent")
		return
	}
	info, err := os.Stat(target)
	if err != nil {
		fmt.Fprintln(w, path, "absent")
		return
	}
	if !info.Mode().IsRegular() && !info.IsDir() { // a pipe cannot be read twice
		fmt.Fprintln(w, path, "no file")
		return
	}
	fmt.Fprintln(w, path, target, info.Size(), info.ModTime().UnixNano(), inode(info))
}

func inode(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 0
}
