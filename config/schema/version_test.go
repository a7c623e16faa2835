package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
)

// tableOf returns the table for a version.
func tableOf(t *testing.T, text string) *Field {
	t.Helper()
	tables, err := For(text)
	require.NoError(t, err)
	return tables.Plugin
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
func schemaRows(t *testing.T) map[string]row {
	t.Helper()
	var file file
	require.NoError(t, json.Unmarshal(schemaJSON, &file))
	maps.Copy(file.Fields, file.Envelope)
	return file.Fields
}

// checkedAt returns the faults and warnings about a value at a path.
func checkedAt(t *testing.T, table *Field, path string, value any) (faults config.Faults, warnings []config.Warning) {
	t.Helper()
	var r report.Report
	Check(&r, "", table, node(t, withValue(path, value)))
	return r.Faults(), r.Warnings()
}

// TestVersionsBringFields asks, for every "since" of the schema, the release before it
// and the one that brought the field.
func TestVersionsBringFields(t *testing.T) {
	brought := 0
	for path, row := range schemaRows(t) {
		if row.Since == "" || row.Since == oldestVersion {
			continue
		}
		brought++
		version, _, _ := strings.Cut(row.Since, " ")
		newer := fmt.Sprintf("got a field of Kong %s, newer than the configuration's version", version)
		values := goodValues(tableOf(t, "").Find(path))
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
	require.NoError(t, json.Unmarshal(schemaJSON, &raw))
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
func requireChange(t *testing.T, path string, change change, before, after *Field) {
	t.Helper()
	was, is := before.Find(path), after.Find(path)
	if change.Default != nil {
		require.Equal(t, []any{was.Default, is.Default}, change.Default)
	}
	if change.Required != nil {
		require.Equal(t, []bool{was.Required, is.Required}, change.Required)
	}
	for _, value := range change.AllowedAdded {
		var given any = value
		if was.Kind == tree.List {
			given = []any{value}
		}
		faults, _ := checkedAt(t, before, path, given)
		shown := fmt.Sprintf("%q", value)
		if was.Hidden {
			shown = "string " + report.Redacted
		}
		require.Contains(t, faults.Error(), shown+" of Kong ")
		faults, _ = checkedAt(t, after, path, given)
		require.NotContains(t, faults.Error(), shown+" of Kong ")
	}
	if change.Allowed != "" {
		_, warnings := checkedAt(t, before, path, "any")
		require.Len(t, warnings, 1)
		require.Contains(t, warnings[0].Text, "Kong accepts any text here since ")
		_, warnings = checkedAt(t, after, path, "any")
		require.Empty(t, warnings)
	}
}

func TestVersionsThatAreNotKnownAreErrors(t *testing.T) {
	for version, want := range map[string]string{
		"3.x": `read Kong version "3.x": want a form like 3.16`,
		"1.0": `read Kong version "1.0": want 3.8 or newer, where the plugin begins, or 2.0 for the AI gateway`,
		"3.7": `read Kong version "3.7": want 3.8 or newer, where the plugin begins, or 2.0 for the AI gateway`,
	} {
		_, err := For(version)
		require.EqualError(t, err, want)
		require.EqualError(t, CheckVersion(version), want)
	}
	require.NoError(t, CheckVersion(""))
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
