package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tableOf returns the table for a version.
func tableOf(t *testing.T, text string) *spec {
	t.Helper()
	v, err := kongVersion(text)
	require.NoError(t, err)
	tables, err := tablesFor(v)
	require.NoError(t, err)
	return tables.plugin
}

// justBefore returns the release before the first version that a text names.
func justBefore(t *testing.T, since string) string {
	t.Helper()
	name, _, _ := strings.Cut(since, " ")
	v, err := parseVersion(name)
	require.NoError(t, err)
	v[len(v)-1]--
	return strings.Trim(strings.ReplaceAll(fmt.Sprint([]int(v)), " ", "."), "[]")
}

// schemaRows returns every row of the published schema.
func schemaRows(t *testing.T) map[string]schemaField {
	t.Helper()
	var file schemaFile
	require.NoError(t, json.Unmarshal([]byte(schemaJSON), &file))
	maps.Copy(file.Fields, file.Envelope)
	return file.Fields
}

// checkedAt returns the faults and warnings about a value at a path.
func checkedAt(t *testing.T, table *spec, path string, value any) (faults Faults, warnings []Warning) {
	t.Helper()
	var c checker
	c.value("", table, tree(t, withValue(path, value)))
	return c.faults, c.warnings
}

// TestVersionsBringFields asks, for every "since" of the schema, the release before it
// and the one that brought the field.
func TestVersionsBringFields(t *testing.T) {
	brought := 0
	for path, row := range schemaRows(t) {
		if row.Since == "" || row.Since == oldestKongVersion {
			continue
		}
		brought++
		version, _, _ := strings.Cut(row.Since, " ")
		newer := fmt.Sprintf("got a field of Kong %s, newer than the configuration's version", version)
		values := goodValues(tableOf(t, "").find(path))
		if len(values) == 0 {
			values = []any{map[string]any{"a": 1}} // an object, whose own fields have rows
		}
		faults, _ := checkedAt(t, tableOf(t, justBefore(t, row.Since)), path, values[0])
		require.Contains(t, faults.Error(), newer, path)
		faults, _ = checkedAt(t, tableOf(t, version), path, values[0])
		require.NotContains(t, faults.Error(), newer, path)
	}
	require.Greater(t, brought, 90)
}

// TestVersionsChangeFields does the same for every "changed" of the schema. A kind of
// change that the code does not know fails it.
func TestVersionsChangeFields(t *testing.T) {
	changes := 0
	for path, row := range schemaRows(t) {
		for version, change := range row.Changed {
			changes++
			t.Run(path+" "+version, func(t *testing.T) {
				requireChange(t, path, change, tableOf(t, justBefore(t, version)), tableOf(t, version))
			})
		}
	}
	require.Greater(t, changes, 20)
	var raw struct {
		Envelope, Fields map[string]struct {
			Changed map[string]map[string]any `json:"changed"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(schemaJSON), &raw))
	maps.Copy(raw.Fields, raw.Envelope)
	for path, row := range raw.Fields {
		for _, change := range row.Changed {
			for kind, value := range change {
				require.Contains(t, []string{"default", "required", "allowed_added", "allowed"}, kind, path)
				require.True(t, kind != "allowed" || value == becameFreeText, path)
			}
		}
	}
}

// requireChange says that a change holds between the table before it and the one after.
func requireChange(t *testing.T, path string, change schemaChange, before, after *spec) {
	t.Helper()
	was, is := before.find(path), after.find(path)
	if change.Default != nil {
		require.Equal(t, []any{was.fallback, is.fallback}, change.Default)
	}
	if change.Required != nil {
		require.Equal(t, []bool{was.required, is.required}, change.Required)
	}
	for _, value := range change.AllowedAdded {
		var given any = value
		if was.kind == kindList {
			given = []any{value}
		}
		faults, _ := checkedAt(t, before, path, given)
		require.Contains(t, faults.Error(), fmt.Sprintf("%q of Kong ", value))
		faults, _ = checkedAt(t, after, path, given)
		require.NotContains(t, faults.Error(), fmt.Sprintf("%q", value))
	}
	if change.Allowed != "" {
		_, warnings := checkedAt(t, before, path, "any")
		require.Len(t, warnings, 1)
		require.Contains(t, warnings[0].Text, "Kong takes any text here since ")
		_, warnings = checkedAt(t, after, path, "any")
		require.Empty(t, warnings)
	}
}

func TestWhatIsNewerThanTheVersionIsNamed(t *testing.T) {
	require.Equal(t, int64(8192), load(t, minimal, Options{KongVersion: "3.12"}).Plugins[0].Settings.MaxRequestBodySize)
	require.Equal(t, 256, *load(t, minimal, Options{KongVersion: "3.9"}).Plugins[0].Settings.Targets[0].Model.Options.MaxTokens)
	for _, tt := range []struct{ kong, add, want string }{
		{"3.12", "    balancer: {max_fails: 0}", "kong.yaml:7: plugins[0].config.balancer.max_fails: got a field of Kong 3.13, newer than the configuration's version"},
		{"3.9", "    balancer: {algorithm: priority}", `kong.yaml:7: plugins[0].config.balancer.algorithm: got string "priority" of Kong 3.10, want one of consistent-hashing, lowest-latency, lowest-usage, round-robin, semantic`},
		{"3.12", "    vectordb: {strategy: redis, distance_metric: cosine, dimensions: 3}", "kong.yaml:7: plugins[0].config.vectordb.threshold: got nothing, want a number of at least 0"},
		{"3.x", "", `read Kong version "3.x": want a form like 3.15`},
		{"3.7", "", `read Kong version "3.7": want 3.8 or newer, where the plugin begins`},
	} {
		_, _, err := Load([]Source{{Name: "kong.yaml", Data: []byte(minimal + tt.add)}}, Options{KongVersion: tt.kong})
		require.EqualError(t, err, tt.want)
	}
	load(t, minimal+"    balancer: {algorithm: priority, max_fails: 0}", Options{KongVersion: "3.13"})
}

func TestPatchReleasesAreComparedWithinTheirMinorVersion(t *testing.T) {
	for kong, newer := range map[string]string{
		"3.13": "3.14.0.13", "3.14": "", "3.14.0.12": "3.14.0.13", "3.14.0.13": "",
		"3.15": "", "3.15.0.3": "3.15.0.4", "3.15.0.4": "", "3.16.0.0": "",
	} {
		v, err := parseVersion(kong)
		require.NoError(t, err)
		got, err := newerThan("3.14.0.13 / 3.15.0.4", v)
		require.NoError(t, err)
		require.Equal(t, newer, got, kong)
	}
}
