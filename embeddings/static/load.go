package static

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Bounds of the files of a model, in bytes.
const (
	maxTableFile     = 1 << 30
	maxTokenizerFile = 64 << 20
	maxConfigFile    = 1 << 20
)

// Option changes how a folder is read.
type Option func(*options)

type options struct {
	name  string
	scale float64
}

// WithName sets the name in [embeddings.Info.Model], before the hash. Without it
// [Load] takes the folder's name and [Open] takes "static/model".
func WithName(name string) Option {
	return func(o *options) { o.name = name }
}

// WithDistanceScale sets the factor of the model's distances, more than 0, where
// [DefaultDistanceScale] does not suit the model.
func WithDistanceScale(k float64) Option {
	return func(o *options) { o.scale = k }
}

// Load reads the model in the folder dir; see the package comment for its files.
func Load(dir string, opts ...Option) (*Model, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find model folder: %w", err)
	}
	name := WithName("static/" + filepath.Base(path))
	return Open(os.DirFS(dir), append([]Option{name}, opts...)...)
}

// Open reads the model in the root of fsys; see the package comment for its files.
func Open(fsys fs.FS, opts ...Option) (*Model, error) {
	o := options{name: "static/model", scale: DefaultDistanceScale}
	for _, opt := range opts {
		opt(&o)
	}
	if !(o.scale > 0) {
		return nil, fmt.Errorf("distance scale: got %v, want more than 0", o.scale)
	}
	tok, vocab, err := openTokenizer(fsys)
	if err != nil {
		return nil, err
	}
	file, err := readFile(fsys, "model.safetensors", maxTableFile)
	if err != nil {
		return nil, err
	}
	m, err := newModel(file, tok, o.name, file, vocab)
	if err != nil {
		return nil, err
	}
	m.info.DistanceScale = o.scale
	return m, m.checkConfig(fsys)
}

// openTokenizer reads tokenizer.json, or vocab.txt if there is none. It returns
// the bytes it read as well.
func openTokenizer(fsys fs.FS) (*tokenizer, []byte, error) {
	file, err := readFile(fsys, "tokenizer.json", maxTokenizerFile)
	if errors.Is(err, fs.ErrNotExist) {
		return openVocab(fsys)
	}
	if err != nil {
		return nil, nil, err
	}
	tok, err := parseTokenizer(file)
	if err != nil {
		return nil, nil, fmt.Errorf("read tokenizer.json: %w", err)
	}
	return tok, file, nil
}

// openVocab reads vocab.txt.
func openVocab(fsys fs.FS) (*tokenizer, []byte, error) {
	file, err := readFile(fsys, "vocab.txt", maxTokenizerFile)
	if err != nil {
		return nil, nil, err
	}
	tok, err := parseVocab(string(file))
	if err != nil {
		return nil, nil, fmt.Errorf("read vocab.txt: %w", err)
	}
	return tok, file, nil
}

// checkConfig compares the model with its config.json, if there is one.
func (m *Model) checkConfig(fsys fs.FS) error {
	file, err := readFile(fsys, "config.json", maxConfigFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var c struct {
		Dimensions int `json:"hidden_dim"`
	}
	if err := json.Unmarshal(file, &c); err != nil {
		return fmt.Errorf("decode config.json: %w", err)
	}
	if c.Dimensions != 0 && c.Dimensions != m.table.width {
		return fmt.Errorf("config.json: hidden_dim: got %d, want the %d of model.safetensors", c.Dimensions, m.table.width)
	}
	return nil
}

// readFile reads a file of at most limit bytes.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open model file: %w", err)
	}
	defer func() { _ = f.Close() }() // read only: closing has nothing to report
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat model file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("model file %s: got %s of %d bytes, want a regular file of at most %d", name, info.Mode(), info.Size(), limit)
	}
	var b bytes.Buffer
	b.Grow(int(info.Size()) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read model file %s: %w", name, err)
	}
	if n > limit {
		return nil, fmt.Errorf("model file %s: want at most %d bytes", name, limit)
	}
	return b.Bytes(), nil
}
