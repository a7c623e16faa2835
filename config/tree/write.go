package tree

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// YAML returns a tree as a YAML document.
func YAML(n *Node) ([]byte, error) {
	y, err := yamlNode(n)
	if err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(y); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return out.Bytes(), encoder.Close()
}

// yamlNode returns a tree as the YAML library has it. The library quotes strings: it
// knows which ones older readers take for something else.
func yamlNode(n *Node) (*yaml.Node, error) {
	y := &yaml.Node{Kind: yaml.MappingNode}
	switch n.Kind {
	case Object:
		for _, f := range n.Fields {
			if err := appendYAML(y, NewString(f.Name), f.Value); err != nil {
				return nil, err
			}
		}
		return y, nil
	case List:
		y.Kind = yaml.SequenceNode
		return y, appendYAML(y, n.Items...)
	case String:
		return y, y.Encode(n.Text)
	case Null:
		return y, y.Encode(nil)
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: n.Literal()}, nil
	}
}

// appendYAML appends trees to the content of a YAML node.
func appendYAML(y *yaml.Node, trees ...*Node) error {
	for _, n := range trees {
		child, err := yamlNode(n)
		if err != nil {
			return err
		}
		y.Content = append(y.Content, child)
	}
	return nil
}

// AppendJSON appends a tree as JSON, without white space.
func AppendJSON(b []byte, n *Node) []byte {
	switch n.Kind {
	case Object:
		b = append(b, '{')
		for i, f := range n.Fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendQuoted(b, f.Name), ':')
			b = AppendJSON(b, f.Value)
		}
		return append(b, '}')
	case List:
		b = append(b, '[')
		for i, item := range n.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendJSON(b, item)
		}
		return append(b, ']')
	case String:
		return appendQuoted(b, n.Text)
	case Null:
		return append(b, "null"...)
	default:
		return append(b, n.Literal()...)
	}
}

// appendQuoted appends a string as JSON. Texts of trees are UTF-8, which is all that
// could be wrong with them.
func appendQuoted(b []byte, text string) []byte {
	b, _ = jsontext.AppendQuote(b, text)
	return b
}
