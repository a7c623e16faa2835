package openai

import "strings"

// limits are how many tokens of a text models read, by the beginnings of their names, as
// their providers or makers document it. The longest that matches counts. Other models'
// limits are learned from the endpoint's error.
var limits = map[string]int{
	"text-embedding-3":       8192,
	"text-embedding-ada-002": 8192,
	"mistral-embed":          8192,
	"codestral-embed":        8192,
	"nomic-embed-text":       8192,
	"jina-embeddings-v2":     8192,
	"jina-embeddings-v3":     8192,
	"bge-m3":                 8192,
	"bge-small-en":           512,
	"bge-base-en":            512,
	"bge-large-en":           512,
	"e5-":                    512,
	"multilingual-e5-":       512,
	"gte-small":              512,
	"gte-base":               512,
	"gte-large":              512,
	"mxbai-embed-large":      512,
	"snowflake-arctic-embed": 512,
	"all-minilm":             256,
	"all-mpnet-base":         384,
	"gemini-embedding":       2048,
	"text-embedding-004":     2048,
	"qwen3-embedding":        32768,
	"voyage-3":               32000,
}

// Limit is how many tokens of a text a model reads; 0 if that is not known. An
// organization before the model's name, as in BAAI/bge-m3, does not count.
func Limit(model string) int {
	name := strings.ToLower(model[strings.LastIndex(model, "/")+1:])
	limit, longest := 0, 0
	for prefix, tokens := range limits {
		if len(prefix) > longest && strings.HasPrefix(name, prefix) {
			limit, longest = tokens, len(prefix)
		}
	}
	return limit
}
