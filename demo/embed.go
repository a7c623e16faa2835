package demo

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"net/http"
	"strings"
	"unicode"
)

const (
	maxDimensions = 8192
	maxInputs     = 2048
)

type embeddingsRequest struct {
	Input          json.RawMessage `json:"input"`
	Dimensions     *int            `json:"dimensions"`
	EncodingFormat string          `json:"encoding_format"`
}

type embedding struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"`
}

func (s *server) embed(w http.ResponseWriter, r *http.Request, c call) error {
	var request embeddingsRequest
	if err := json.Unmarshal(c.body, &request); err != nil {
		return badRequest("", "request body is not an embeddings request")
	}
	texts, ok := inputs(request.Input)
	if !ok || len(texts) == 0 || len(texts) > maxInputs {
		return badRequest("input", "input is neither a string nor tokens nor a list of 1 to %d of them", maxInputs)
	}
	width, err := dimensions(c.model, request.Dimensions)
	if err != nil {
		return err
	}
	format := request.EncodingFormat
	if format != "" && format != "float" && format != "base64" {
		return badRequest("encoding_format", "encoding_format is %q, want float or base64", format)
	}
	data := make([]embedding, len(texts))
	for i, text := range texts {
		if text == "" {
			return badRequest("input", "input[%d] is empty", i)
		}
		data[i] = embedding{Object: "embedding", Index: i, Embedding: encodeVector(vector(text, width), format)}
	}
	tokens := len(strings.Fields(strings.Join(texts, " ")))
	body := map[string]any{
		"object": "list", "model": c.model, "data": data,
		"usage": map[string]int{"prompt_tokens": tokens, "total_tokens": tokens},
	}
	if c.fault.cut {
		return cutWhole(w, r, body)
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

func dimensions(model string, asked *int) (int, error) {
	switch {
	case asked == nil && strings.Contains(model, "large"):
		return 3072, nil
	case asked == nil:
		return 1536, nil
	case *asked < 1 || *asked > maxDimensions:
		return 0, badRequest("dimensions", "dimensions is %d, want 1 to %d", *asked, maxDimensions)
	default:
		return *asked, nil
	}
}

// inputs reads a string, a list of strings, a list of tokens, or a list of such lists.
func inputs(raw json.RawMessage) ([]string, bool) {
	var one string
	var many []string
	var tokens []int
	var lists [][]int
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, false
	case json.Unmarshal(raw, &one) == nil:
		return []string{one}, true
	case json.Unmarshal(raw, &many) == nil:
		return many, true
	case json.Unmarshal(raw, &tokens) == nil:
		return []string{fmt.Sprint(tokens)}, true
	case json.Unmarshal(raw, &lists) == nil:
		texts := make([]string, len(lists))
		for i, list := range lists {
			texts[i] = fmt.Sprint(list)
		}
		return texts, true
	default:
		return nil, false
	}
}

// vector returns a unit vector made of hashes. Equal texts have equal vectors; the
// more words two texts share, the nearer theirs are.
func vector(text string, width int) []float32 {
	sums := make([]float64, width)
	add := func(feature string, weight float64) {
		h := fnv.New64a()
		_, _ = h.Write([]byte(feature))
		sum := h.Sum64()
		// Index and sign use distant bits, because neighbouring bits of this hash are
		// correlated.
		if sum>>63 == 1 {
			weight = -weight
		}
		sums[(sum>>8)%uint64(width)] += weight
	}
	for _, word := range strings.FieldsFunc(strings.ToLower(text), notInWord) {
		add(word, 1)
	}
	// The whole text distinguishes texts with the same words, and is the only feature
	// of a text without words. No sum of ±1 cancels its weight.
	add("text "+text, 0.3)

	var norm float64
	for _, x := range sums {
		norm += x * x
	}
	norm = math.Sqrt(norm)
	v := make([]float32, width)
	for i, x := range sums {
		v[i] = float32(x / norm)
	}
	return v
}

func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

func encodeVector(v []float32, format string) any {
	if format != "base64" {
		return v
	}
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func (s *server) models(w http.ResponseWriter, _ *http.Request) {
	data := make([]map[string]any, 0, len(s.options.Models))
	for _, model := range s.options.Models {
		data = append(data, map[string]any{
			"id": model, "object": "model", "created": s.started.Unix(), "owned_by": "demo",
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": data})
}
