package redistest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// folderVariable names a folder that scripts/get-redis.sh has filled, for machines
// that have it outside of the checkout.
const folderVariable = "SEMLB_REDIS_STACK"

// installLimit is how long the script may take: it fetches 59 MB.
const installLimit = 5 * time.Minute

// folder returns the folder of the programs, and installs them if they are missing.
func folder(tb testing.TB) string {
	tb.Helper()
	if named := os.Getenv(folderVariable); named != "" {
		if !installed(named) {
			tb.Fatalf("%s names %s, where there is no redis-stack-server: run scripts/get-redis.sh %[2]s", folderVariable, named)
		}
		return named
	}
	root, err := checkout()
	if err != nil {
		tb.Fatalf("find the checkout, where Redis is: %v", err)
	}
	here := filepath.Join(root, ".tools", "redis-stack")
	if installed(here) {
		return here
	}
	if out, err := install(root, here); err != nil {
		tb.Fatalf("these tests need a real Redis, and scripts/get-redis.sh failed: %v\n%s", err, out)
	}
	return here
}

func installed(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "redis-stack-server"))
	return err == nil
}

// install runs the script, which waits for other runs of itself.
func install(root, folder string) (output []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), installLimit)
	defer cancel()
	script := filepath.Join(root, "scripts", "get-redis.sh")
	return exec.CommandContext(ctx, script, folder).CombinedOutput()
}

// checkout returns the folder of go.mod, which is above the one a test runs in.
func checkout() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod at or above %s", start)
		}
	}
}
