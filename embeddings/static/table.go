package static

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// maxDimensions bounds the width of a model's vectors.
const maxDimensions = 4096

// rows is the matrix of a model, in the element type of its file.
type rows interface {
	// add adds weight times the row to sum, which is as wide as the row.
	add(sum []float32, row int, weight float32)
}

// table is a model's numbers: the rows, and which row a token has and at what weight.
type table struct {
	rows    rows
	count   int       // rows
	width   int       // columns
	weights []float32 // by token, or nil: all 1
	mapping []int32   // token to row, or nil: the same number
}

// parseTable reads the tensors of a model file, which it keeps a hold of.
func parseTable(file []byte) (table, error) {
	ts, err := parseTensors(file)
	if err != nil {
		return table{}, err
	}
	t, err := parseRows(ts)
	if err != nil {
		return table{}, err
	}
	weights, err := ts.get("weights", 1)
	if err == nil {
		t.weights, err = weights.floats()
	}
	if err != nil && !errors.Is(err, errTensorAbsent) {
		return table{}, fmt.Errorf("read weights: %w", err)
	}
	mapping, err := ts.get("mapping", 1)
	if err == nil {
		t.mapping, err = mapping.ints(t.count)
	}
	if err != nil && !errors.Is(err, errTensorAbsent) {
		return table{}, fmt.Errorf("read mapping: %w", err)
	}
	return t, nil
}

// parseRows reads the matrix "embeddings".
func parseRows(ts tensors) (table, error) {
	e, err := ts.get("embeddings", 2)
	if err != nil {
		return table{}, err
	}
	t := table{count: e.shape[0], width: e.shape[1]}
	if t.width > maxDimensions {
		return table{}, fmt.Errorf("got %d dimensions, want at most %d", t.width, maxDimensions)
	}
	switch e.dtype {
	case "I8":
		t.rows = int8Rows(e.data)
		return t, nil
	case "F16":
		t.rows = float16Rows(e.data)
	case "F32":
		t.rows = float32Rows(e.data)
	default:
		return table{}, fmt.Errorf("tensor %q: got element type %s, want I8, F16 or F32", "embeddings", e.dtype)
	}
	if err := e.checkFloats(); err != nil {
		return table{}, fmt.Errorf("tensor %q: %w", "embeddings", err)
	}
	return t, nil
}

// tokens is how many tokens the table has rows and weights for.
func (t table) tokens() int {
	n := t.count
	if t.mapping != nil {
		n = len(t.mapping)
	}
	if t.weights != nil {
		n = min(n, len(t.weights))
	}
	return n
}

// add adds the vector of token, count times, to sum.
func (t table) add(sum []float32, token int32, count int) {
	weight, row := float32(count), token
	if t.weights != nil {
		weight *= t.weights[token]
	}
	if t.mapping != nil {
		row = t.mapping[token]
	}
	t.rows.add(sum, int(row), weight)
}

// int8Rows is a matrix of signed bytes.
type int8Rows []byte

func (r int8Rows) add(sum []float32, row int, weight float32) {
	data := r[row*len(sum):][:len(sum)]
	for i, b := range data {
		sum[i] += weight * float32(int8(b))
	}
}

// float16Rows is a matrix of little-endian half-precision numbers.
type float16Rows []byte

func (r float16Rows) add(sum []float32, row int, weight float32) {
	data := r[2*row*len(sum):][:2*len(sum)]
	for i := range sum {
		sum[i] += weight * float16(binary.LittleEndian.Uint16(data[2*i:]))
	}
}

// float32Rows is a matrix of little-endian single-precision numbers.
type float32Rows []byte

func (r float32Rows) add(sum []float32, row int, weight float32) {
	data := r[4*row*len(sum):][:4*len(sum)]
	for i := range sum {
		sum[i] += weight * math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
}
