package static_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/embeddings"
	"semlb/embeddings/embeddingstest"
	"semlb/embeddings/static"
)

func TestBuiltinKeepsTheContract(t *testing.T) {
	model, err := static.Builtin()
	require.NoError(t, err)
	embeddingstest.Run(t, func(*testing.T) embeddings.Embedder { return model })
}
