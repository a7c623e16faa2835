package static

import (
	_ "embed"
	"fmt"
)

// builtinName names the built-in model, before its hash.
const builtinName = "builtin/minilm-static-256"

// The files of the built-in model, as embeddings/training makes them. Nothing
// writes to them: a model reads its rows where they lie in the binary.
var (
	//go:embed model/model.safetensors
	builtinTable []byte

	//go:embed model/vocab.txt
	builtinVocab string

	//go:embed model/NOTICE
	builtinNotice string
)

// Builtin returns the model inside this binary: English, 256 dimensions, 7 MB that
// are not copied. It reads the vocabulary and hashes the table, which takes some
// ten milliseconds; callers keep the result and share it.
func Builtin() (*Model, error) {
	tok, err := parseVocab(builtinVocab)
	if err != nil {
		return nil, fmt.Errorf("read built-in vocabulary: %w", err)
	}
	return newModel(builtinTable, tok, builtinName, builtinTable, []byte(builtinVocab))
}

// Notice is the licence note of the built-in model, which whoever passes the
// binary on passes on too.
func Notice() string {
	return builtinNotice
}
