package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/report"
	"semlb/config/rules"
	"semlb/config/tree"
)

func TestPartialsAndBlocksExcludeEachOther(t *testing.T) {
	n, faults := tree.NewDocument("test.json", []byte(`{
		"partials": [{"id": "x", "path": "config.embeddings"}, {"id": "y", "path": "config.vectordb"}],
		"config": {"embeddings": {}}}`)).ParseJSON()
	require.Empty(t, faults)
	var r report.Report
	rules.Plugin(&r, tree.NewCursor("", n))
	require.EqualError(t, r.Err(nil), "test.json:3: config.embeddings: got a block that a partial sets too")
}
