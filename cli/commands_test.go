package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// commands are the commands by name.
func commands() map[string]*cobra.Command {
	env := Environment{LookupEnv: func(string) (string, bool) { return "", false }}
	byName := make(map[string]*cobra.Command)
	for _, c := range newRoot(env).Commands() {
		byName[c.Name()] = c
	}
	return byName
}

func TestAFlagIsTheSameInEveryCommand(t *testing.T) {
	// A default, or a help text, may differ where the flag means something else.
	different := map[string]bool{"drain": true, "grpc-socket": true, "demo": true}
	type flag struct{ shorthand, kind, usage, value string }
	seen := make(map[string]flag)
	for name, c := range commands() {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			this := flag{f.Shorthand, f.Value.Type(), f.Usage, f.DefValue}
			if other, ok := seen[f.Name]; ok && !different[f.Name] {
				require.Equal(t, other, this, "--%s of %s", f.Name, name)
			}
			seen[f.Name] = this
		})
	}
	require.Greater(t, len(seen), 25)
}

// Files are read from -c and from arguments, in every command that reads files.
func TestFilesAreFlagsOrArguments(t *testing.T) {
	file := fileOf(t, "kong.yaml", newerDeck)
	absent := filepath.Join(t.TempDir(), "absent.yaml")
	for name, args := range map[string][]string{
		"validate": {"validate"},
		"convert":  {"convert", "--to", "deck"},
		"explain":  {"explain", "--embeddings", "builtin"},
		"envoy":    {"envoy", "--static"},
		"serve":    {"serve"},
		"run":      {"run", "--envoy", fakeEnvoy(t)},
	} {
		prompt := []string{}
		if name == "explain" {
			prompt = []string{"a prompt"} // the last argument
		}
		run := func(files ...string) (int, string) {
			code, _, stderr := command(t, append(append(append([]string{}, args...), files...), prompt...)...)
			return code, stderr
		}
		for _, files := range [][]string{{"-c", absent}, {absent}, {"-c", file, absent}, {"-c", absent, "-c", file}} {
			code, stderr := run(files...)
			require.Equal(t, 1, code, name)
			require.Equal(t, "semlb: read configuration: stat "+absent+": no such file or directory\n", stderr, "%s %v", name, files)
		}
		code, stderr := run()
		require.Equal(t, 1, code, name)
		require.Equal(t, "semlb: no configuration: give -c FILE\n", stderr, name)
		if name == "serve" || name == "run" {
			continue // they would serve
		}
		for _, files := range [][]string{{"-c", file}, {file}} {
			code, stderr := run(files...)
			require.Zero(t, code, "%s %v: %s", name, files, stderr)
		}
	}
}

// fakeEnvoy is a program with the version of an Envoy.
func fakeEnvoy(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "envoy")
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\necho 'envoy  version: 1c/1.40.0/Clean/RELEASE/BoringSSL'\n"), 0o700))
	return file
}

func TestOnlyTheUserCanConnectToTheSocketByDefault(t *testing.T) {
	require.Equal(t, "0600", commands()["serve"].Flags().Lookup("grpc-socket-mode").DefValue)
}
