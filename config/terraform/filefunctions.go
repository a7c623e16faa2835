package terraform

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // Terraform's function
	"crypto/sha1" //nolint:gosec // Terraform's function
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"io/fs"
	"net/url"
	"path"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"semlb/config/tree"
)

// texts are Terraform's functions of one text that makes another one.
var texts = map[string]func(string) (string, error){
	"basename": func(s string) (string, error) { return path.Base(s), nil },
	"dirname":  func(s string) (string, error) { return path.Dir(s), nil },
	"md5":      summed(md5.New, hex.EncodeToString),
	"sha1":     summed(sha1.New, hex.EncodeToString),
	"sha512":   summed(sha512.New, hex.EncodeToString),

	"base64sha256": summed(sha256.New, base64.StdEncoding.EncodeToString),
	"base64sha512": summed(sha512.New, base64.StdEncoding.EncodeToString),
	"urldecode": func(s string) (string, error) {
		text, err := url.QueryUnescape(s)
		if err != nil || !utf8.ValidString(text) {
			return "", functionError("function urldecode: want text that is encoded for URLs")
		}
		return text, nil
	},
}

// summed returns a function that returns a checksum as text.
func summed(newHash func() hash.Hash, encode func([]byte) string) func(string) (string, error) {
	return func(s string) (string, error) {
		h := newHash()
		_, _ = h.Write([]byte(s)) // it cannot fail
		return encode(h.Sum(nil)), nil
	}
}

// fileFunctions are those that read files in and below the directory of the file that
// calls them, as path.module has it.
func (e *evaluator) fileFunctions() map[string]function.Function {
	return map[string]function.Function{
		// What a file has may be a credential.
		"file": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}},
			Type:   function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				text, err := e.readFile("file", args[0].AsString())
				return cty.StringVal(text).Mark(sensitiveMark), err
			},
		}),
		"fileexists": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}},
			Type:   function.StaticReturnType(cty.Bool),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				_, err := e.readFile("fileexists", args[0].AsString())
				return cty.BoolVal(err == nil), nil
			},
		}),
	}
}

// readFile returns the text of a file.
func (e *evaluator) readFile(function, name string) (string, error) {
	missing := functionError("function " + function + ": no such file in the directory of this one")
	name = path.Clean(name)
	if e.calling == nil || e.calling.beside == nil || !fs.ValidPath(name) {
		return "", missing
	}
	info, err := fs.Stat(e.calling.beside, name)
	if err != nil || !info.Mode().IsRegular() {
		return "", missing
	}
	e.Opened(path.Join(path.Dir(e.calling.name), name))
	f, err := e.calling.beside.Open(name)
	if err != nil {
		return "", missing
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, tree.MaxBytes+1))
	switch {
	case err != nil:
		return "", missing
	case len(text) > tree.MaxBytes || !utf8.Valid(text):
		return "", functionError("function " + function + ": want a file of UTF-8 text of 4 MiB at most")
	case !e.spend(len(text) / 64):
		return "", functionError("function " + function + ": too much work")
	}
	return string(bytes.TrimPrefix(text, []byte("\uFEFF"))), nil
}

// yamlFunction decodes a document of YAML.
var yamlFunction = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "text", Type: cty.String}},
	Type: func(args []cty.Value) (cty.Type, error) {
		if !args[0].IsKnown() {
			return cty.DynamicPseudoType, nil
		}
		value, err := decodeYAML(args[0])
		return value.Type(), err
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return decodeYAML(args[0]) },
})

func decodeYAML(text cty.Value) (cty.Value, error) {
	roots, faults := tree.NewDocument("", []byte(text.AsString())).Parse()
	switch {
	case faults != nil || len(roots) > 1:
		return cty.DynamicVal, functionError("function yamldecode: want one document of YAML")
	case len(roots) == 0:
		return cty.NullVal(cty.DynamicPseudoType), nil
	default:
		value, ok := valueOf(roots[0])
		if !ok {
			return cty.DynamicVal, functionError("function yamldecode: got a number that is too large")
		}
		return value, nil
	}
}

// valueOf returns a tree as a value whose parts have no positions. It reports false for a
// number that is too large.
func valueOf(n *tree.Node) (cty.Value, bool) {
	all := true
	part := func(n *tree.Node) cty.Value {
		value, ok := valueOf(n)
		all = all && ok
		return value
	}
	switch n.Kind {
	case tree.Object:
		parts := map[string]cty.Value{}
		for _, f := range n.Fields {
			parts[f.Name] = part(f.Value)
		}
		return cty.ObjectVal(parts), all
	case tree.List:
		parts := []cty.Value{}
		for _, item := range n.Items {
			parts = append(parts, part(item))
		}
		return cty.TupleVal(parts), all
	default:
		return scalarValue(n)
	}
}

// transposeFunction turns a map of lists around.
var transposeFunction = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "values", Type: cty.Map(cty.List(cty.String))}},
	Type:   function.StaticReturnType(cty.Map(cty.List(cty.String))),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		turned := map[string][]cty.Value{}
		for it := args[0].ElementIterator(); it.Next(); {
			key, list := it.Element()
			if list.IsNull() || !list.IsWhollyKnown() {
				return cty.NilVal, functionError("function transpose: want lists of texts")
			}
			for _, text := range list.AsValueSlice() {
				if text.IsNull() {
					return cty.NilVal, functionError("function transpose: want lists of texts")
				}
				turned[text.AsString()] = append(turned[text.AsString()], key)
			}
		}
		if len(turned) == 0 {
			return cty.MapValEmpty(cty.List(cty.String)), nil
		}
		lists := map[string]cty.Value{}
		for name, list := range turned {
			lists[name] = cty.ListVal(list)
		}
		return cty.MapVal(lists), nil
	},
})

// isPath reports whether a reference is to the directory of a module: path.module or
// path.root.
func isPath(root, name string) bool {
	return root == "path" && (name == "module" || name == "root")
}
