package static

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// piece is one entry of a vocabulary.
type piece struct {
	text  string
	token int32
}

// trie finds the longest piece at the beginning of a word. The children of a node
// are consecutive nodes, from first[node] up to first[node+1], in the order of
// their labels; a search looks at each byte of the word at most once.
type trie struct {
	label []byte  // the byte that leads to a node
	first []int32 // the first child of a node; one entry more than there are nodes
	token []int32 // the piece that ends at a node, or -1
}

// span is a node under construction: the pieces that share its path.
type span struct {
	lo, hi, depth int
}

// newTrie builds the trie of pieces, which it sorts. Of pieces with equal texts
// the one of the lowest token is found.
func newTrie(pieces []piece) *trie {
	slices.SortFunc(pieces, func(a, b piece) int {
		return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(a.token, b.token))
	})
	t := &trie{label: []byte{0}}
	queue := []span{{hi: len(pieces)}}
	for n := 0; n < len(queue); n++ { // breadth first, so that siblings lie together
		s := queue[n]
		t.first = append(t.first, int32(len(queue)))
		t.token = append(t.token, -1)
		if s.lo < s.hi && len(pieces[s.lo].text) == s.depth {
			t.token[n] = pieces[s.lo].token
		}
		for s.lo < s.hi && len(pieces[s.lo].text) == s.depth {
			s.lo++
		}
		queue = t.appendChildren(queue, pieces, s)
	}
	t.first = append(t.first, int32(len(queue)))
	return t
}

// appendChildren adds a node for each byte that follows the path of s.
func (t *trie) appendChildren(queue []span, pieces []piece, s span) []span {
	for lo := s.lo; lo < s.hi; {
		c := pieces[lo].text[s.depth]
		hi := lo + 1
		for hi < s.hi && pieces[hi].text[s.depth] == c {
			hi++
		}
		t.label = append(t.label, c)
		queue = append(queue, span{lo: lo, hi: hi, depth: s.depth + 1})
		lo = hi
	}
	return queue
}

// longest returns the token of the longest piece that word begins with and the
// bytes it has, or a length of 0.
func (t *trie) longest(word []byte) (token int32, length int) {
	node := int32(0)
	for i, c := range word {
		lo, hi := t.first[node], t.first[node+1]
		k := bytes.IndexByte(t.label[lo:hi], c)
		if k < 0 {
			break
		}
		node = lo + int32(k)
		if t.token[node] >= 0 {
			token, length = t.token[node], i+1
		}
	}
	return token, length
}
