package config

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// yamlText returns a tree as a YAML document.
func yamlText(n *node) ([]byte, error) {
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

// yamlNode returns a tree as the YAML library has it. Strings are left to the
// library to quote: it knows which ones older readers take for something else.
func yamlNode(n *node) (*yaml.Node, error) {
	y := &yaml.Node{Kind: yaml.MappingNode}
	switch n.kind {
	case kindObject:
		for _, f := range n.fields {
			if err := appendYAML(y, text(f.name), f.value); err != nil {
				return nil, err
			}
		}
		return y, nil
	case kindList:
		y.Kind = yaml.SequenceNode
		return y, appendYAML(y, n.items...)
	case kindString:
		return y, y.Encode(n.text)
	case kindNull:
		return y, y.Encode(nil)
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: n.scalarText()}, nil
	}
}

// appendYAML appends trees to the content of a YAML node.
func appendYAML(y *yaml.Node, trees ...*node) error {
	for _, n := range trees {
		child, err := yamlNode(n)
		if err != nil {
			return err
		}
		y.Content = append(y.Content, child)
	}
	return nil
}
