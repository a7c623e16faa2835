package form

import (
	"regexp"
	"strconv"
	"strings"

	"semlb/config/tree"
)

// step is the name of a field, or without one the index of an element. Kong counts
// elements from 1; 0 is one more element, as in tags[].
type step struct {
	name  string
	index int
}

// within returns what the step leads on from.
func (s step) within() tree.Kind {
	if s.name == "" {
		return tree.List
	}
	return tree.Object
}

// namePart matches a part of a name between dots, such as targets[1] or tags[].
var namePart = regexp.MustCompile(`^([^\[\]]+)((?:\[[^\[\]]*\])*)$`)

// parseName reads the name of a field, such as config.targets[1].weight.
func parseName(name string) ([]step, error) {
	var path []step
	for text := range strings.SplitSeq(name, ".") {
		m := namePart.FindStringSubmatch(text)
		if m == nil {
			return nil, errName
		}
		path = append(path, step{name: m[1]})
		for index := range strings.SplitSeq(strings.TrimSuffix(m[2], "]"), "]") {
			number, indexed := strings.CutPrefix(index, "[")
			if !indexed {
				continue // there are no indexes
			}
			i, err := parseIndex(number)
			if err != nil {
				return nil, err
			}
			path = append(path, step{index: i})
		}
		if len(path) >= tree.MaxHeight {
			return nil, errName
		}
	}
	return path, nil
}

// parseIndex reads what is between the brackets of an index.
func parseIndex(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	i, err := strconv.Atoi(text)
	if err != nil || i < 1 || i > maxIndex {
		return 0, errIndex
	}
	return i, nil
}
