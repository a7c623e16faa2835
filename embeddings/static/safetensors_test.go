package static

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	twoRows    = `"embeddings":{"dtype":"I8","shape":[2,3],"data_offsets":[8,14]}`
	twoWeights = `"weights":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
)

// safetensors is a file with that header, two weights (1, 0.5) and two rows.
func safetensors(header string) string {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(file, header...)
	file = binary.LittleEndian.AppendUint32(file, math.Float32bits(1))
	file = binary.LittleEndian.AppendUint32(file, math.Float32bits(0.5))
	return string(append(file, 1, 2, 3, 0xff, 0x80, 0x7f))
}

func TestParseTable(t *testing.T) {
	table, err := parseTable([]byte(safetensors("{" + twoWeights + "," + twoRows + "}")))
	require.NoError(t, err)
	sum := make([]float32, table.width)
	table.add(sum, 0, 2)
	table.add(sum, 1, 1)
	require.Equal(t, []float32{2 - 0.5, 4 - 64, 6 + 63.5}, sum)
}

func TestParseTableRefusesBrokenFiles(t *testing.T) {
	replace := func(old, replacement string) string {
		return safetensors(strings.Replace("{"+twoWeights+","+twoRows+"}", old, replacement, 1))
	}
	for name, tt := range map[string]struct{ file, want string }{
		"empty":                  {"", "want at least 8"},
		"header beyond the file": {"\xff\xff\xff\xff\xff\xff\xff\x7f{}", "safetensors header"},
		"header is not JSON":     {safetensors("[["), "decode safetensors header"},
		"no embeddings":          {safetensors("{" + twoWeights + "}"), `tensor "embeddings"`},
		"no weights":             {safetensors("{" + twoRows + "}"), `tensor "weights"`},
		"another type":           {replace(`"I8"`, `"F16"`), `got element type "F16"`},
		"another shape":          {replace("[2,3]", "[6]"), "with 1 axes"},
		"shape that overflows":   {replace("[2,3]", "[9223372036854775807,9223372036854775807]"), "got shape"},
		"negative shape":         {replace("[2,3]", "[-2,-3]"), "got shape"},
		"negative offset":        {replace("[8,14]", "[-6,0]"), "got offsets"},
		"offset beyond the file": {replace("[8,14]", "[9,15]"), "got offsets"},
		"too few bytes":          {replace("[8,14]", "[8,13]"), "want 6 bytes"},
		"weights for other rows": {replace(`"shape":[2],"data_offsets":[0,8]`, `"shape":[1],"data_offsets":[0,4]`), "got 1 weights for 2 rows"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseTable([]byte(tt.file))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestParseVocabularyNeedsAWord(t *testing.T) {
	_, err := parseVocabulary("[UNK]\n##a\n")
	require.ErrorContains(t, err, "no piece starts a word")
}

// The piece of the lowest token wins, as in the reference.
func TestParseVocabularyWithAPieceTwice(t *testing.T) {
	v, err := parseVocabulary("a\n" + strings.Repeat("b\n", 3))
	require.NoError(t, err)
	require.Equal(t, []int32{1}, v.appendTokens(nil, "B"))
	require.Equal(t, 4, v.size)
}
