package admin

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"semlb/config"
)

// mask stands for every credential in an answer.
const mask = "[redacted]"

// masked returns a value with its credentials masked. References to the environment
// are shown: they are no credentials.
func (s *shape) masked(v any) any {
	switch v := v.(type) {
	case object:
		out := maps.Clone(v)
		for name, child := range v {
			if field := s.field(name); field != nil {
				out[name] = field.masked(child)
			}
		}
		return out
	case []any:
		if s.item == nil {
			return v
		}
		out := make([]any, len(v))
		for i, child := range v {
			out[i] = s.item.masked(child)
		}
		return out
	case nil:
		return nil
	default:
		if t, ok := v.(string); !s.secret || ok && isReference(t) {
			return v
		}
		return mask
	}
}

// field returns the shape of a field, or nil. What a route wants to see in a
// header of credentials is one.
func (s *shape) field(name string) *shape {
	switch {
	case s.typ == "map" && config.IsSecretHeader(name):
		return listOf(&shape{typ: "string", secret: true})
	case s.typ == "map":
		return s.item
	default:
		return s.fields[name]
	}
}

// isReference reports whether a credential is nothing but references, with at most
// a scheme word before them.
func isReference(text string) bool {
	if vault := regexp.MustCompile(`^\{vault://[^{}\s]+\}$`); vault.MatchString(strings.TrimSpace(text)) {
		return true
	}
	words := strings.Fields(text)
	if len(words) > 1 && slices.Contains([]string{"bearer", "basic", "token", "apikey", "key"}, strings.ToLower(words[0])) {
		words = words[1:]
	}
	reference := regexp.MustCompile(`^(?:\$\w+|\$\{\w+\}|'\$\w+')$`)
	return len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !reference.MatchString(w) })
}

// restored returns a value in which every mask is the credential that is stored in
// its place, and a violation for each mask nothing is stored for.
func (s *shape) restored(v, stored any, path []any) (any, []violation) {
	switch v := v.(type) {
	case object:
		old, _ := stored.(object)
		out, wrongs := make(object, len(v)), []violation(nil)
		for name, child := range v {
			out[name] = child
			if field := s.field(name); field != nil {
				fixed, w := field.restored(child, old[name], below(path, name))
				out[name], wrongs = fixed, append(wrongs, w...)
			}
		}
		return out, wrongs
	case []any:
		if s.item == nil {
			return v, nil
		}
		old, _ := stored.([]any)
		out, wrongs := make([]any, len(v)), []violation(nil)
		for i, child := range v {
			fixed, w := s.item.restored(child, s.item.counterpart(child, old, i), below(path, i))
			out[i], wrongs = fixed, append(wrongs, w...)
		}
		return out, wrongs
	case string:
		if !s.secret || v != mask {
			return v, nil
		}
		if old, ok := stored.(string); ok {
			return old, nil
		}
		return v, []violation{wrong("got the mask of a secret, and no secret is stored in its place", path...)}
	default:
		return v, nil
	}
}

// below returns a path that is one step longer.
func below(path []any, step any) []any { return append(slices.Clone(path), step) }

// counterpart returns the stored element that an element with masks stands for. Its
// credentials must not go to another provider because a list was put in another
// order: the element is the one of the same place if it is for the same model,
// else one that is, if all such have the same credentials, else none.
func (s *shape) counterpart(v any, stored []any, index int) any {
	if _, ok := v.(object); !ok {
		if index < len(stored) {
			return stored[index]
		}
		return nil
	}
	same := func(old any) bool { return reflect.DeepEqual(audience(v), audience(old)) }
	if index < len(stored) && same(stored[index]) {
		return stored[index]
	}
	var found any
	for _, old := range stored {
		switch {
		case !same(old):
		case found == nil:
			found = old
		case !reflect.DeepEqual(s.secrets(found), s.secrets(old)):
			return nil
		}
	}
	return found
}

// audience returns what of a target says who its credentials are for.
func audience(v any) any {
	o, _ := v.(object)
	model, _ := o["model"].(object)
	options, _ := model["options"].(object)
	auth, _ := o["auth"].(object)
	return []any{
		model["provider"], options["upstream_url"], options["azure_instance"],
		auth["header_name"], auth["param_name"],
	}
}

// secrets lists the credentials of a value, by their paths.
func (s *shape) secrets(v any) map[string]string {
	found := map[string]string{}
	s.eachSecret(v, nil, func(path []any, text string) { found[pathText(path)] = text })
	return found
}

func (s *shape) eachSecret(v any, path []any, note func([]any, string)) {
	switch v := v.(type) {
	case object:
		for name, child := range v {
			if field := s.field(name); field != nil {
				field.eachSecret(child, below(path, name), note)
			}
		}
	case []any:
		if s.item != nil {
			for i, child := range v {
				s.item.eachSecret(child, below(path, i), note)
			}
		}
	case string:
		if s.secret {
			note(path, v)
		}
	}
}

// merged returns what a PATCH makes of a stored value: records go into one
// another, null takes away, and everything else replaces.
func (s *shape) merged(stored, patch any) any {
	p, ok := patch.(object)
	old, was := stored.(object)
	if !ok || !was || s.typ != "record" {
		return patch
	}
	out := maps.Clone(old)
	for name, v := range p {
		if field := s.fields[name]; field != nil && !field.isRef() {
			v = field.merged(old[name], v)
		}
		out[name] = v
	}
	return out
}
