package embeddings

import (
	"context"
	"errors"
	"sync/atomic"
)

// FitOptions are what a [Fit] knows about the model behind it.
type FitOptions struct {
	// Tokens is how many tokens of a text the model reads; 0 if that is not known.
	Tokens int
	// Count is called with the number of texts that were shortened. It may be nil.
	Count func(r Result, n int)
}

// Fit shortens texts to what a model reads, because most endpoints refuse longer ones: it
// keeps their beginning, and their end, where the question of a long prompt usually stands.
// A limit that is not known beforehand is learned from the endpoint's error ([TooLong]),
// and the call repeated within it.
//
// Tokens are estimated; a text that has more of them than estimated is shortened further
// after the endpoint's error.
type Fit struct {
	next  Embedder
	count func(Result, int)
	// tokens is the limit as far as it is known; 0 if not.
	tokens atomic.Int64
}

const (
	// maxShortenings bounds the calls for one lookup: each makes the texts shorter.
	maxShortenings = 6
	// guess is a limit that nearly all models have.
	guess = 240
	// minTokens is a limit below which no model is: a smaller one was misread.
	minTokens = 32
)

// NewFit returns a layer before next, to be put behind the [Guard].
func NewFit(next Embedder, options FitOptions) *Fit {
	if options.Count == nil {
		options.Count = func(Result, int) {}
	}
	f := &Fit{next: next, count: options.Count}
	f.tokens.Store(int64(options.Tokens))
	return f
}

// Info describes the model.
func (f *Fit) Info() Info { return f.next.Info() }

// Embed embeds the texts, or what fits of them.
//
// An endpoint may refuse a text for its length without saying so. Where it is long, the
// call is repeated once with a short one, and nothing is learned from that.
func (f *Fit) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	known := int(f.tokens.Load())
	vectors, err := f.embed(ctx, texts, known)
	if !isAboutTexts(err) || lengthOf(err) != nil || longestOf(texts) <= guess || 0 < known && known <= guess {
		return vectors, err
	}
	if shorter, refused := f.embed(ctx, texts, guess); refused == nil {
		return shorter, nil
	}
	return nil, err
}

// embed embeds what fits of the texts, first within budget tokens.
func (f *Fit) embed(ctx context.Context, texts []string, budget int) ([][]float32, error) {
	learned := false
	for range maxShortenings {
		sent, cut := shortened(texts, budget)
		vectors, err := f.next.Embed(ctx, sent)
		long := lengthOf(err)
		if long == nil {
			f.finish(cut, budget, learned && err == nil)
			return vectors, err
		}
		longest := longestOf(sent)
		f.lower(long.Limit)
		budget, learned = long.next(longest), long.Limit == 0
		if budget < minTokens {
			return nil, err
		}
	}
	return nil, &Error{Kind: KindStatus, TooLong: &TooLong{}, Err: errStillTooLong}
}

var errStillTooLong = errors.New("the endpoint refuses texts of any length as too long")

// finish counts the texts that were shortened, and keeps a limit that was found by trying.
func (f *Fit) finish(cut, budget int, found bool) {
	if cut > 0 {
		f.count(Shortened, cut)
	}
	if found {
		f.lower(budget)
	}
}

// lower lowers the known limit. An endpoint may read less than the model could, but what it
// calls a larger limit is another one, such as that of a whole request.
func (f *Fit) lower(tokens int) {
	for tokens >= minTokens {
		known := f.tokens.Load()
		if known > 0 && known <= int64(tokens) || f.tokens.CompareAndSwap(known, int64(tokens)) {
			return
		}
	}
}

// lengthOf is what an error says about the length of a text, or nil.
func lengthOf(err error) *TooLong {
	var e *Error
	if errors.As(err, &e) {
		return e.TooLong
	}
	return nil
}

// tries are limits to try, each below a common one of models, where nothing else is known.
var tries = []int{30_000, 7600, 1900, 480, 240, minTokens}

// next is the estimate of tokens to try next, after texts whose longest has an estimate of
// longest.
func (l *TooLong) next(longest int) int {
	switch {
	case 0 < l.Limit && l.Limit < l.Given: // the estimate was wrong by this factor
		return min(longest*l.Limit/l.Given, l.Limit) * 9 / 10
	case 0 < l.Limit && l.Limit < longest*9/10:
		return l.Limit
	}
	for _, limit := range tries {
		if limit < longest*9/10 {
			return limit
		}
	}
	return 0
}
