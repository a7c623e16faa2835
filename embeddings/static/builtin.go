package static

import (
	"crypto/sha256"
	_ "embed"
	"fmt"

	"semlb/embeddings"
)

// builtinName names the built-in model, before its hash.
const builtinName = "builtin/minilm-static-256"

// distanceScale is the factor k of the built-in model's distances, k·(1−cos). Cosines
// of static models are lower than those of the remote models that thresholds are
// written for: with 0.778 the usual threshold of 0.7 means a cosine of 0.1. A larger
// factor would send more prompts that belong to a group to "no match".
const distanceScale = 0.778

// The files of the built-in model, as embeddings/training writes them. The model reads
// its rows where they lie in the binary; nothing writes to them.
var (
	//go:embed model/model.safetensors
	builtinTable []byte

	//go:embed model/vocab.txt
	builtinVocab string
)

// Builtin returns the model inside this binary: English, 256 dimensions, 7 MB that are
// not copied. It indexes the vocabulary and hashes the table, which takes some ten
// milliseconds; callers keep the result and share it.
func Builtin() (*Model, error) {
	vocabulary, err := parseVocabulary(builtinVocab)
	if err != nil {
		return nil, fmt.Errorf("read built-in vocabulary: %w", err)
	}
	t, err := parseTable(builtinTable)
	if err != nil {
		return nil, fmt.Errorf("read built-in table: %w", err)
	}
	if vocabulary.size != len(t.weights) {
		return nil, fmt.Errorf("built-in vocabulary has %d pieces, its table %d rows", vocabulary.size, len(t.weights))
	}
	return &Model{
		info: embeddings.Info{
			Model:         builtinName + "@" + builtinVersion(),
			Dimensions:    t.width,
			DistanceScale: distanceScale,
		},
		vocabulary: vocabulary,
		table:      t,
	}, nil
}

// builtinVersion returns the first 8 hexadecimal digits of the SHA-256 of the table
// followed by the vocabulary.
func builtinVersion() string {
	sum := sha256.New()
	sum.Write(builtinTable)
	sum.Write([]byte(builtinVocab))
	return fmt.Sprintf("%x", sum.Sum(nil)[:4])
}
