package static

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// maxHeader bounds the JSON header of a safetensors file, in bytes. A static
// model has three tensors; the format itself allows 100 MB.
const maxHeader = 1 << 20

// errTensorAbsent says that a file has no tensor of the name asked for.
var errTensorAbsent = errors.New("tensor is absent")

// tensor is one array of a safetensors file: its element type, its shape and its
// little-endian bytes, which are a part of the file's and as many as the shape says.
type tensor struct {
	dtype string
	shape []int
	data  []byte
}

// tensors finds the arrays of one safetensors file.
type tensors struct {
	header map[string]json.RawMessage
	data   []byte
}

// tensorHeader is what the header of a file says about one tensor.
type tensorHeader struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// parseTensors reads the header of file. The result shares file's memory.
func parseTensors(file []byte) (tensors, error) {
	if len(file) < 8 {
		return tensors{}, fmt.Errorf("safetensors file of %d bytes: want at least 8", len(file))
	}
	n := binary.LittleEndian.Uint64(file)
	rest := file[8:]
	if n > maxHeader || n > uint64(len(rest)) {
		return tensors{}, fmt.Errorf("safetensors header: got %d bytes, want at most %d", n, min(maxHeader, len(rest)))
	}
	ts := tensors{data: rest[n:]}
	if err := json.Unmarshal(rest[:n], &ts.header); err != nil {
		return tensors{}, fmt.Errorf("decode safetensors header: %w", err)
	}
	return ts, nil
}

// get returns the tensor name with as many axes as asked for. Its error wraps
// errTensorAbsent when the file has none of this name.
func (ts tensors) get(name string, axes int) (tensor, error) {
	raw, ok := ts.header[name]
	if !ok {
		return tensor{}, fmt.Errorf("tensor %q: %w", name, errTensorAbsent)
	}
	var h tensorHeader
	if err := json.Unmarshal(raw, &h); err != nil {
		return tensor{}, fmt.Errorf("decode header of tensor %q: %w", name, err)
	}
	if len(h.Shape) != axes {
		return tensor{}, fmt.Errorf("tensor %q: got %d axes, want %d", name, len(h.Shape), axes)
	}
	t, err := ts.slice(h)
	if err != nil {
		return tensor{}, fmt.Errorf("tensor %q: %w", name, err)
	}
	return t, nil
}

// slice returns the bytes that h tells of, if they exist and fit its shape.
func (ts tensors) slice(h tensorHeader) (tensor, error) {
	begin, end := h.Offsets[0], h.Offsets[1]
	if begin < 0 || end < begin || end > int64(len(ts.data)) {
		return tensor{}, fmt.Errorf("got offsets %d to %d, want them within %d bytes", begin, end, len(ts.data))
	}
	size := elementSize(h.DType)
	if size == 0 {
		return tensor{}, fmt.Errorf("got element type %.16q, want I8, F16, F32, F64, I32 or I64", h.DType)
	}
	t := tensor{dtype: h.DType, data: ts.data[begin:end]}
	want := size
	for _, n := range h.Shape {
		if n < 1 || n > math.MaxInt32 || want > int64(len(ts.data))/n {
			return tensor{}, fmt.Errorf("got shape %v, want one of %d bytes", h.Shape, end-begin)
		}
		want *= n
		t.shape = append(t.shape, int(n))
	}
	if want != end-begin {
		return tensor{}, fmt.Errorf("got %d bytes for shape %v, want %d", end-begin, h.Shape, want)
	}
	return t, nil
}

// elementSize is the number of bytes of one element, 0 for an unknown type.
func elementSize(dtype string) int64 {
	switch dtype {
	case "I8":
		return 1
	case "F16":
		return 2
	case "F32", "I32":
		return 4
	case "F64", "I64":
		return 8
	default:
		return 0
	}
}

// floats returns the elements of a tensor of floating-point numbers.
func (t tensor) floats() ([]float32, error) {
	if err := t.checkFloats(); err != nil {
		return nil, err
	}
	out := make([]float32, t.count())
	for i := range out {
		out[i] = t.float(i)
	}
	return out, nil
}

// checkFloats says why the elements are not all finite floating-point numbers.
func (t tensor) checkFloats() error {
	if t.dtype[0] != 'F' {
		return fmt.Errorf("got element type %s, want F16, F32 or F64", t.dtype)
	}
	for i := range t.count() {
		if !finite(t.float(i)) {
			return fmt.Errorf("element %d is not a finite number", i)
		}
	}
	return nil
}

// count is the number of elements.
func (t tensor) count() int {
	return len(t.data) / int(elementSize(t.dtype))
}

// float returns element i of a tensor of floating-point numbers.
func (t tensor) float(i int) float32 {
	switch t.dtype {
	case "F16":
		return float16(binary.LittleEndian.Uint16(t.data[2*i:]))
	case "F32":
		return math.Float32frombits(binary.LittleEndian.Uint32(t.data[4*i:]))
	default:
		return float32(math.Float64frombits(binary.LittleEndian.Uint64(t.data[8*i:])))
	}
}

// ints returns the elements of a tensor of whole numbers, each within [0, limit).
func (t tensor) ints(limit int) ([]int32, error) {
	var at func(i int) int64
	switch t.dtype {
	case "I32":
		at = func(i int) int64 { return int64(int32(binary.LittleEndian.Uint32(t.data[4*i:]))) }
	case "I64":
		at = func(i int) int64 { return int64(binary.LittleEndian.Uint64(t.data[8*i:])) }
	default:
		return nil, fmt.Errorf("got element type %s, want I32 or I64", t.dtype)
	}
	out := make([]int32, t.count())
	for i := range out {
		n := at(i)
		if n < 0 || n >= int64(limit) {
			return nil, fmt.Errorf("element %d: got %d, want 0 to %d", i, n, limit-1)
		}
		out[i] = int32(n)
	}
	return out, nil
}

// finite reports whether f is neither infinite nor NaN.
func finite(f float32) bool {
	return f-f == 0
}

// float16 widens an IEEE 754 half-precision number.
func float16(bits uint16) float32 {
	sign, exp, frac := uint32(bits&0x8000)<<16, uint32(bits>>10&0x1f), uint32(bits&0x3ff)
	switch exp {
	case 0:
		f := float32(frac) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(f))
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	default:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	}
}
