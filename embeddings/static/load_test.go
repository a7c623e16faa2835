package static

import (
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// array is a tensor of a file under construction.
type array struct {
	dtype string
	shape []int
	data  []byte
}

// safetensors builds a file.
func safetensors(arrays map[string]array) []byte {
	header, data := map[string]any{"__metadata__": map[string]string{"format": "np"}}, []byte{}
	for name, a := range arrays {
		header[name] = map[string]any{"dtype": a.dtype, "shape": a.shape, "data_offsets": []int{len(data), len(data) + len(a.data)}}
		data = append(data, a.data...)
	}
	text, _ := json.Marshal(header) // maps of strings and numbers always encode
	return append(withLength(text), data...)
}

// withLength puts the length of a header before it.
func withLength(header []byte) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
}

func float32s(values ...float32) []byte {
	var out []byte
	for _, f := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(f))
	}
	return out
}

// smallVocab has tokens 0 to 3.
const smallVocab = "[UNK]\ngo\nrust\n##y\n"

// folder is a model folder with three texts that have these vectors: "go" (1, 0),
// "rust" (0, 1), "go rust" (0.6, 0.8).
func folder(arrays map[string]array) fstest.MapFS {
	return fstest.MapFS{
		"model.safetensors": {Data: safetensors(arrays)},
		"vocab.txt":         {Data: []byte(smallVocab)},
		"config.json":       {Data: []byte(`{"hidden_dim": 2}`)},
	}
}

// plain are the arrays of a folder with float32 rows.
func plain() map[string]array {
	return map[string]array{"embeddings": {"F32", []int{4, 2}, float32s(9, 9, 3, 0, 0, 4, 1, 1)}}
}

func TestOpenReadsEveryKindOfTable(t *testing.T) {
	mapping := binary.LittleEndian.AppendUint64(nil, 1)
	for _, row := range []uint64{0, 1, 1} {
		mapping = binary.LittleEndian.AppendUint64(mapping, row)
	}
	for name, arrays := range map[string]map[string]array{
		"float32":              plain(),
		"float16":              {"embeddings": {"F16", []int{4, 2}, []byte{0, 0, 0, 0, 0, 0x42, 0, 0, 0, 0, 0, 0x44, 0, 0, 0, 0}}},
		"int8":                 {"embeddings": {"I8", []int{4, 2}, []byte{9, 9, 3, 0, 0, 4, 1, 1}}},
		"int8 with weights":    {"embeddings": {"I8", []int{4, 2}, []byte{9, 9, 1, 0, 0, 2, 1, 1}}, "weights": {"F32", []int{4}, float32s(1, 3, 2, 1)}},
		"float32 with mapping": {"embeddings": {"F32", []int{2, 2}, float32s(3, 0, 0, 4)}, "mapping": {"I64", []int{4}, mapping}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Open(folder(arrays))
			require.NoError(t, err)
			require.Equal(t, 2, m.Info().Dimensions)
			require.InDeltaSlice(t, []float32{1, 0}, embedOne(t, m, "Go"), 1e-6)
			require.InDeltaSlice(t, []float32{.6, .8}, embedOne(t, m, "rust, go!"), 1e-6)
			require.Nil(t, embedOne(t, m, "python"))
		})
	}
}

func TestLoadNamesTheModelAfterItsFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "potion")
	require.NoError(t, os.CopyFS(dir, folder(plain())))
	m, err := Load(dir)
	require.NoError(t, err)
	require.Regexp(t, `^static/potion@[0-9a-f]{8}$`, m.Info().Model)
	require.InDelta(t, DefaultDistanceScale, m.Info().DistanceScale, 0)

	m, err = Load(dir, WithName("mine"), WithDistanceScale(.9))
	require.NoError(t, err)
	require.Regexp(t, `^mine@`, m.Info().Model)
	require.InDelta(t, .9, m.Info().DistanceScale, 0)
}

func TestOpenPrefersTokenizerJSON(t *testing.T) {
	f := folder(plain())
	f["tokenizer.json"] = &fstest.MapFile{Data: []byte(tokenizerJSON("BertNormalizer", "BertPreTokenizer", "WordPiece"))}
	f["vocab.txt"] = &fstest.MapFile{Data: []byte("never\nread\n")}
	m, err := Open(f)
	require.NoError(t, err)
	require.InDeltaSlice(t, []float32{1, 0}, embedOne(t, m, "go"), 1e-6)
}

func tokenizerJSON(normalizer, pre, model string) string {
	return `{"normalizer":{"type":"` + normalizer + `","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
"pre_tokenizer":{"type":"` + pre + `"},
"model":{"type":"` + model + `","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"go":1,"rust":2,"##y":3}}}`
}

func TestOpenRefusesOtherTokenizersByName(t *testing.T) {
	for _, parts := range [][3]string{
		{"NFKC", "BertPreTokenizer", "WordPiece"},
		{"BertNormalizer", "Metaspace", "WordPiece"},
		{"BertNormalizer", "BertPreTokenizer", "Unigram"},
	} {
		f := folder(plain())
		f["tokenizer.json"] = &fstest.MapFile{Data: []byte(tokenizerJSON(parts[0], parts[1], parts[2]))}
		_, err := Open(f)
		for i, usual := range []string{"BertNormalizer", "BertPreTokenizer", "WordPiece"} {
			if parts[i] != usual {
				require.ErrorContains(t, err, parts[i])
			}
		}
	}
}

func TestOpenRefusesBrokenFolders(t *testing.T) {
	for _, tt := range []struct{ name, file, content, want string }{
		{"no table", "model.safetensors", "", "want at least 8"},
		{"no embeddings", "model.safetensors", string(safetensors(nil)), "absent"},
		{"header beyond the file", "model.safetensors", "\xff\xff\xff\xff\xff\xff\xff\x7f{}", "safetensors header"},
		{"header that is no JSON", "model.safetensors", string(withLength([]byte("[["))), "decode safetensors header"},
		{"vocabulary larger than the table", "vocab.txt", smallVocab + "more\n", "up to token 4, the table has 4"},
		{"vocabulary without words", "vocab.txt", "##a\n", "no piece that begins a word"},
		{"other width in the configuration", "config.json", `{"hidden_dim": 3}`, "hidden_dim: got 3"},
		{"configuration that is no JSON", "config.json", "{", "decode config.json"},
		{"tokenizer that is no JSON", "tokenizer.json", "{", "decode tokenizer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := folder(plain())
			f[tt.file] = &fstest.MapFile{Data: []byte(tt.content)}
			_, err := Open(f)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestOpenRefusesBrokenTensors(t *testing.T) {
	inf := float32(math.Inf(1))
	for name, header := range map[string]string{
		"overflowing shape": `{"embeddings":{"dtype":"F32","shape":[2147483647,2147483647],"data_offsets":[0,32]}}`,
		"negative shape":    `{"embeddings":{"dtype":"F32","shape":[-4,-2],"data_offsets":[0,32]}}`,
		"empty shape":       `{"embeddings":{"dtype":"F32","shape":[0,2],"data_offsets":[0,0]}}`,
		"negative offset":   `{"embeddings":{"dtype":"F32","shape":[4,2],"data_offsets":[-32,0]}}`,
		"offset too far":    `{"embeddings":{"dtype":"F32","shape":[4,2],"data_offsets":[4992,5024]}}`,
		"too few bytes":     `{"embeddings":{"dtype":"F32","shape":[4,2],"data_offsets":[0,31]}}`,
		"unknown type":      `{"embeddings":{"dtype":"BF16","shape":[4,4],"data_offsets":[0,32]}}`,
		"one axis":          `{"embeddings":{"dtype":"F32","shape":[8],"data_offsets":[0,32]}}`,
		"too wide":          `{"embeddings":{"dtype":"I8","shape":[1,5000],"data_offsets":[0,5000]}}`,
	} {
		f := folder(plain())
		f["model.safetensors"] = &fstest.MapFile{Data: append(withLength([]byte(header)), make([]byte, 5000)...)}
		_, err := Open(f)
		require.ErrorContains(t, err, "model.safetensors", name)
	}
	for name, extra := range map[string]array{
		"weights":    {"F32", []int{4}, float32s(1, inf, 1, 1)},
		"mapping":    {"I32", []int{4}, []byte{0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		"embeddings": {"F32", []int{4, 2}, float32s(1, 1, inf-inf, 1, 1, 1, 1, 1)},
	} {
		arrays := plain()
		arrays[name] = extra
		_, err := Open(folder(arrays))
		require.ErrorContains(t, err, name)
	}
}

// grown is a file that says it is larger than it is.
type grown struct{ fs.File }

func (g grown) Stat() (fs.FileInfo, error) {
	info, err := g.File.Stat()
	return size{info}, err
}

type size struct{ fs.FileInfo }

func (size) Size() int64 { return maxTableFile + 1 }

type grownFS struct{ fstest.MapFS }

func (g grownFS) Open(name string) (fs.File, error) {
	f, err := g.MapFS.Open(name)
	if name != "model.safetensors" || err != nil {
		return f, err
	}
	return grown{f}, nil
}

func TestOpenRefusesHugeFilesBeforeReadingThem(t *testing.T) {
	_, err := Open(grownFS{folder(plain())})
	require.ErrorContains(t, err, "want a regular file of at most")
}

func TestOpenWithoutAModelSaysWhichFileIsMissing(t *testing.T) {
	_, err := Load(t.TempDir())
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "vocab.txt")
	_, err = Open(folder(plain()), WithDistanceScale(0))
	require.ErrorContains(t, err, "distance scale")
}

func TestFloat16(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: math.Ldexp(1, -24), 0x03ff: 1023 * math.Ldexp(1, -24), 0x0400: math.Ldexp(1, -14),
		0x3555: 0.333251953125, 0x7c00: math.Inf(1),
	} {
		require.Equal(t, want, float64(float16(bits)), "%#x", bits)
	}
	require.True(t, math.IsNaN(float64(float16(0x7e00))))
}

func FuzzOpen(f *testing.F) {
	f.Add(safetensors(plain()), smallVocab, tokenizerJSON("BertNormalizer", "BertPreTokenizer", "WordPiece"))
	f.Add(withLength([]byte(`{"embeddings":{"dtype":"I8","shape":[4,1],"data_offsets":[0,4]}}1234`)), smallVocab, "")
	f.Add([]byte(strings.Repeat("\xff", 9)), "", "{}")
	f.Fuzz(func(t *testing.T, table []byte, vocab, tokenizer string) {
		files := fstest.MapFS{"model.safetensors": {Data: table}, "vocab.txt": {Data: []byte(vocab)}}
		if tokenizer != "" {
			files["tokenizer.json"] = &fstest.MapFile{Data: []byte(tokenizer)}
		}
		m, err := Open(files)
		if err != nil {
			return
		}
		for _, x := range embedOne(t, m, "go rusty "+vocab) {
			require.True(t, finite(x))
		}
	})
}
