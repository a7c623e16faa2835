package static

import (
	"math"
	"strings"
)

// lexical is the floor that a model has to beat: TF-IDF over the character n-grams
// of lower-case words with a space at either end, as is usual for short texts.
type lexical struct {
	low, high int  // the lengths of n-grams
	sublinear bool // 1 + log of a count, rather than the count
	prompts   bool // frequencies are counted over the prompts too
}

// lexicals are the variants of the floor; the strongest one counts.
func lexicals() []lexical {
	var all []lexical
	for _, n := range [][2]int{{2, 4}, {2, 5}, {3, 3}, {3, 5}, {4, 4}} {
		for _, sublinear := range []bool{false, true} {
			for _, prompts := range []bool{false, true} {
				all = append(all, lexical{low: n[0], high: n[1], sublinear: sublinear, prompts: prompts})
			}
		}
	}
	return all
}

// encode is an encoder.
func (l lexical) encode(e evaluation) (descriptions, prompts []map[int]float64) {
	ids := make(map[string]int)
	descriptions, prompts = l.counts(e.descriptions, ids), l.counts(e.prompts, ids)
	documents := descriptions
	if l.prompts {
		documents = append(append(documents[:0:0], descriptions...), prompts...)
	}
	seen := make(map[int]float64)
	for _, d := range documents {
		for k := range d {
			seen[k]++
		}
	}
	idf := func(k int) float64 { return 1 + math.Log((1+float64(len(documents)))/(1+seen[k])) }
	return weighted(descriptions, idf), weighted(prompts, idf)
}

// counts counts the n-grams of each text.
func (l lexical) counts(texts []string, ids map[string]int) []map[int]float64 {
	out := make([]map[int]float64, len(texts))
	for i, text := range texts {
		out[i] = make(map[int]float64)
		for word := range strings.FieldsSeq(strings.ToLower(text)) {
			l.count(out[i], []rune(" "+word+" "), ids)
		}
		if !l.sublinear {
			continue
		}
		for k, n := range out[i] {
			out[i][k] = 1 + math.Log(n)
		}
	}
	return out
}

func (l lexical) count(into map[int]float64, word []rune, ids map[string]int) {
	for n := l.low; n <= l.high; n++ {
		for i := 0; i+n <= len(word); i++ {
			gram := string(word[i : i+n])
			id, ok := ids[gram]
			if !ok {
				id = len(ids)
				ids[gram] = id
			}
			into[id]++
		}
	}
}

// weighted multiplies by idf and brings each vector to unit length.
func weighted(vectors []map[int]float64, idf func(int) float64) []map[int]float64 {
	out := make([]map[int]float64, len(vectors))
	for i, v := range vectors {
		out[i] = make(map[int]float64, len(v))
		var squares float64
		for k, x := range v {
			out[i][k] = x * idf(k)
			squares += out[i][k] * out[i][k]
		}
		for k := range out[i] {
			out[i][k] /= math.Sqrt(squares)
		}
	}
	return out
}
