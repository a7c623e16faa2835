package child

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"semlb/envoy"
)

var versionText = regexp.MustCompile(`/(\d+)\.(\d+)\.(\d+)[^/]*/`)

const (
	// versionTimeout bounds `envoy --version`, and versionGrace how long it may take to
	// end after that.
	versionTimeout = 10 * time.Second
	versionGrace   = time.Second
)

// FindBinary returns the Envoy at path, or the one on the PATH if path is empty. An
// Envoy older than [envoy.OldestVersion] is an error.
func FindBinary(ctx context.Context, path string) (string, error) {
	if path == "" {
		found, err := exec.LookPath("envoy")
		if err != nil {
			return "", errors.New("no Envoy found: run scripts/get-envoy.sh and give --envoy .tools/envoy-1.40.0/envoy, or put envoy on the PATH")
		}
		path = found
	}
	version, err := versionOf(ctx, path, versionTimeout)
	if err != nil {
		return "", fmt.Errorf("--envoy: %w", err)
	}
	if version.Before(envoy.OldestVersion) {
		return "", fmt.Errorf("--envoy: %s is Envoy %s, which is too old: %s or newer is needed", path, version, envoy.OldestVersion)
	}
	return path, nil
}

// versionOf runs `envoy --version`. Its error is a sentence about the binary.
func versionOf(ctx context.Context, binary string, timeout time.Duration) (envoy.Version, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "--version")
	group := newProcessGroup(cmd, versionGrace)
	out, err := cmd.Output()
	if cmd.Process != nil {
		group.end()
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return envoy.Version{}, fmt.Errorf("%s --version did not end within %s", binary, timeout)
	}
	if err != nil {
		return envoy.Version{}, fmt.Errorf("run %s --version: %w", binary, err)
	}
	return parseVersion(binary, string(out))
}

func parseVersion(binary, text string) (envoy.Version, error) {
	m := versionText.FindStringSubmatch(text)
	if m == nil {
		return envoy.Version{}, fmt.Errorf("%s is not an Envoy: it has no version", binary)
	}
	var v envoy.Version
	for i, field := range []*int{&v.Major, &v.Minor, &v.Patch} {
		n, err := strconv.Atoi(m[i+1])
		if err != nil {
			return envoy.Version{}, fmt.Errorf("read version of %s: %w", binary, err)
		}
		*field = n
	}
	return v, nil
}
