package remote

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/go-json-experiment/json/jsontext"
)

// readVector reads an array of numbers or a base64 string, and nothing else: by the
// usual rules a null would become a zero.
func readVector(dec *jsontext.Decoder, v *[]float32) error {
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case '"':
		raw, err := base64.StdEncoding.DecodeString(token.String())
		if err != nil || len(raw)%4 != 0 {
			return errNotVector
		}
		*v = float32s(raw)
		return nil
	case '[':
		return readNumbers(dec, v)
	default:
		return errNotVector
	}
}

func float32s(raw []byte) []float32 {
	out := make([]float32, len(raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}

func readNumbers(dec *jsontext.Decoder, v *[]float32) error {
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		switch token.Kind() {
		case '0':
			x, err := token.Float()
			if err != nil || math.Abs(x) > math.MaxFloat32 {
				return errNotVector
			}
			*v = append(*v, float32(x))
		case ']':
			return nil
		default:
			return errNotVector
		}
	}
}
