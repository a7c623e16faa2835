package load

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The languages that a file may be in, by the format that reads it.
const (
	inYAML      = ""
	inTerraform = "Terraform (.tf)"
	inShell     = "a shell script of such requests (.sh)"
)

// language returns the language of a source.
func language(source Source) string {
	if i := languageOf(source); i >= 0 {
		return formats[i].Description
	}
	return inYAML
}

func TestLanguagesAreDetectedByTheirFirstLines(t *testing.T) {
	for text, want := range map[string]string{
		"resource \"a\" \"b\" {\n}":                     inTerraform,
		"# a\n// b\n/* c\n d */\n\n  variable \"a\" {}": inTerraform,
		"locals {":               inTerraform,
		"provider \"konnect\" {": inTerraform,
		"terraform {":            inTerraform,
		"output \"a\" {":         inTerraform,
		"data \"a\" \"b\" {":     inTerraform,
		"module \"a\" {":         inTerraform,
		"#!/bin/sh\nset -e\n":    inShell,
		"# a comment\ncurl -X POST http://localhost:8001/plugins -d '{}'": inShell,
		"kubectl apply -f - <<EOF\nEOF":                                   inShell,
		"cat <<EOF | kubectl apply -f -\nEOF":                             inShell,
		"echo 'a: b' | kubectl apply -f -":                                inShell,
		"plugins: []":                                                     inYAML,
		"{\"plugins\": []}":                                               inYAML,
		"data: {a: b}":                                                    inYAML,
		"resource: curl http://":                                          inYAML,
		"terraform: {}":                                                   inYAML,
		"echo: 1":                                                         inYAML,
		"":                                                                inYAML,
	} {
		require.Equal(t, want, language(Source{Name: "configuration", Data: []byte(text)}), text)
	}
	require.Empty(t, language(Source{Name: "a.yaml", Data: []byte("locals {")}), "an ending comes first")
}
