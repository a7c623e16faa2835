package schema

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed aigateway.json
var aiGatewayJSON []byte

// aiGatewayFacts are what the AI gateway changed about the plugin, by paths.
type aiGatewayFacts struct {
	Defaults      map[string]any      `json:"defaults"`
	Removed       []string            `json:"removed"`
	RemovedValues map[string][]string `json:"removed_values"`
	AddedValues   map[string][]string `json:"added_values"`
	Fields        map[string]row      `json:"fields"`
}

var readAIGateway = sync.OnceValues(func() (aiGatewayFacts, error) {
	var facts aiGatewayFacts
	if err := json.Unmarshal(aiGatewayJSON, &facts); err != nil {
		return facts, fmt.Errorf("read aigateway.json: %w", err)
	}
	return facts, nil
})

// notOfAIGateway is why what the AI gateway added is refused.
const notOfAIGateway = "what version 2 of the AI gateway added"

// addAIGateway makes the table of Kong's plugin that of the AI gateway's. What it added is
// not supported yet.
func (b builder) addAIGateway(plugin *Field) error {
	facts, err := readAIGateway()
	if err != nil {
		return err
	}
	if err := b.addAll(plugin, facts.Fields); err != nil {
		return err
	}
	for path := range facts.Fields {
		plugin.Find(path).Unsupported = notOfAIGateway
	}
	for path, texts := range facts.AddedValues {
		f := plugin.Find(path)
		for _, text := range texts {
			f.Values = append(f.Values, Value{Text: text, Unsupported: notOfAIGateway})
		}
	}
	for path, texts := range facts.RemovedValues {
		f := plugin.Find(path)
		f.Values = slices.DeleteFunc(f.Values, func(v Value) bool { return slices.Contains(texts, v.Text) })
	}
	for path, value := range facts.Defaults {
		plugin.Find(path).Default = value
	}
	for _, path := range facts.Removed {
		i := strings.LastIndex(path, ".")
		delete(plugin.Find(path[:i]).Fields, path[i+1:])
	}
	return nil
}
