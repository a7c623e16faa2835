package static

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// table is the numbers of a model: for each token a row of signed bytes, and the weight
// of the row.
type table struct {
	rows    []byte
	weights []float32
	width   int
}

// add adds the vector of token, count times, to sum.
func (t table) add(sum []float32, token int32, count int) {
	weight := float32(count) * t.weights[token]
	row := t.rows[int(token)*t.width:][:len(sum)]
	for i := range sum {
		sum[i] += weight * float32(int8(row[i]))
	}
}

// tensor is the header of one array of a safetensors file.
type tensor struct {
	Type    string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// parseTable reads a safetensors file (https://huggingface.co/docs/safetensors): the
// length of a JSON header, the header, and the data. The rows share its memory.
func parseTable(file []byte) (table, error) {
	const prefix = 8
	if len(file) < prefix {
		return table{}, fmt.Errorf("safetensors file of %d bytes: want at least %d", len(file), prefix)
	}
	size := binary.LittleEndian.Uint64(file)
	if size > uint64(len(file)-prefix) {
		return table{}, fmt.Errorf("safetensors header: got %d bytes, want at most %d", size, len(file)-prefix)
	}
	data := file[prefix+size:]
	var header struct {
		Rows    tensor `json:"embeddings"`
		Weights tensor `json:"weights"`
	}
	if err := json.Unmarshal(file[prefix:prefix+size], &header); err != nil {
		return table{}, fmt.Errorf("decode safetensors header: %w", err)
	}
	rows, err := header.Rows.elements(data, "I8", 2)
	if err != nil {
		return table{}, fmt.Errorf(`tensor "embeddings": %w`, err)
	}
	weights, err := header.Weights.elements(data, "F32", 1)
	if err != nil {
		return table{}, fmt.Errorf(`tensor "weights": %w`, err)
	}
	if got, want := header.Weights.Shape[0], header.Rows.Shape[0]; got != want {
		return table{}, fmt.Errorf("got %d weights for %d rows", got, want)
	}
	return table{rows: rows, weights: float32s(weights), width: header.Rows.Shape[1]}, nil
}

// elementSizes are the bytes of one element, by type.
var elementSizes = map[string]int{"I8": 1, "F32": 4}

// elements returns the little-endian bytes of a tensor, which must have that type and
// number of axes.
func (t tensor) elements(data []byte, typ string, axes int) ([]byte, error) {
	if t.Type != typ || len(t.Shape) != axes {
		return nil, fmt.Errorf("got element type %.16q with %d axes, want %q with %d", t.Type, len(t.Shape), typ, axes)
	}
	size := elementSizes[typ]
	for _, n := range t.Shape {
		if n < 1 || n > len(data) || size > len(data)/n {
			return nil, fmt.Errorf("got shape %v for %d bytes of data", t.Shape, len(data))
		}
		size *= n
	}
	begin, end := t.Offsets[0], t.Offsets[1]
	if begin < 0 || end > len(data) || end-begin != size {
		return nil, fmt.Errorf("got offsets %d to %d, want %d bytes within %d", begin, end, size, len(data))
	}
	return data[begin:end], nil
}

// float32s decodes little-endian numbers.
func float32s(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}
