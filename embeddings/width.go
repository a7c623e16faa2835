package embeddings

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// The values of OpenAI.takesWidth.
const (
	widthUntried int32 = iota
	widthTaken
	widthRefused
)

// ask asks for vectors of the wanted width. Models that have one width only may
// refuse to be asked for any: they are asked again without, once and for all.
func (o *OpenAI) ask(ctx context.Context, texts []string) ([][]float32, error) {
	ctx, cancel := context.WithTimeout(ctx, o.options.Timeout)
	defer cancel()
	dimensions, known := o.options.Dimensions, o.takesWidth.Load()
	if known == widthRefused {
		dimensions = 0
	}
	data, err := o.call(ctx, texts, dimensions)
	if dimensions > 0 && known == widthUntried {
		known = widthTaken
		if isRefusal(err) {
			known = widthRefused
			data, err = o.call(ctx, texts, 0)
		}
		if err == nil {
			o.takesWidth.Store(known)
		}
	}
	if err != nil {
		return nil, err
	}
	return o.check(data, len(texts))
}

// isRefusal tells whether an endpoint understood a request and would not have it.
func isRefusal(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Status == http.StatusBadRequest || e.Status == http.StatusUnprocessableEntity)
}

// Adopt insists on another width from now on: that of the model's own answers, as a
// [*WidthError] tells it.
func (o *OpenAI) Adopt(width int) { o.width.Store(int64(width)) }

// checkWidth compares all widths with the asked one, or with that of the first
// answer, which it keeps only if the whole answer agrees.
func (o *OpenAI) checkWidth(vectors [][]float32) error {
	want := int(o.width.Load())
	if want == 0 {
		want = len(vectors[0])
	}
	for i, v := range vectors {
		if len(v) != want {
			return invalid("vector %d: %w", i, &WidthError{Got: len(v), Want: want})
		}
	}
	if !o.width.CompareAndSwap(0, int64(want)) && int(o.width.Load()) != want {
		return invalid("vectors: %w", &WidthError{Got: want, Want: int(o.width.Load())})
	}
	return nil
}

// WidthError is about a vector that is wider or narrower than it should be.
type WidthError struct{ Got, Want int }

// Error says both widths.
func (e *WidthError) Error() string {
	return fmt.Sprintf("got %d dimensions, want %d", e.Got, e.Want)
}
