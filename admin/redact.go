package admin

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"semlb/config/schema"
	"semlb/wire"
)

// redact returns a value with wire.Redacted in the place of every credential. References
// to the environment or to a vault are kept, and so are numbers among unknown settings.
func redact(f *schema.Field, v any) any {
	return rewrite(f, v, nil, func(f *schema.Field, v any, _ fieldPath) any {
		t, ok := v.(string)
		if !f.Secret || ok && isReference(t) || !ok && f == unknownSettings {
			return v
		}
		return wire.Redacted
	})
}

// redact returns an entity with its credentials redacted.
func (e *entity) redact() *entity {
	fields, _ := redact(e.described(), e.fields).(object)
	return &entity{kind: e.kind, fields: fields}
}

var (
	vaultReference = regexp.MustCompile(`^\{vault://[^{}\s]+\}$`)
	variable       = regexp.MustCompile(`^(?:\$\w+|\$\{\w+\}|'\$\w+')$`)
	// schemes are the words that may stand before a credential in a header.
	schemes = []string{"bearer", "basic", "token", "apikey", "key"}
)

// isReference reports whether a credential is made of references only, with at most a
// scheme before them.
func isReference(text string) bool {
	if vaultReference.MatchString(strings.TrimSpace(text)) {
		return true
	}
	words := strings.Fields(text)
	if len(words) > 1 && slices.Contains(schemes, strings.ToLower(words[0])) {
		words = words[1:]
	}
	literal := func(word string) bool { return !variable.MatchString(word) }
	return len(words) > 0 && !slices.ContainsFunc(words, literal)
}

// restore returns a value in which every redacted credential is the one that is stored
// in its place, and a violation for each that nothing is stored for.
func restore(f *schema.Field, v, stored any, path fieldPath) (any, []violation) {
	switch v := v.(type) {
	case object:
		return restoreObject(f, v, stored, path)
	case []any:
		return restoreList(f, v, stored, path)
	default:
		if !f.Secret || v != wire.Redacted {
			return v, nil
		}
		if old, ok := stored.(string); ok {
			return old, nil
		}
		return v, []violation{{path, "got the mask of a secret, and no secret is stored in its place"}}
	}
}

func restoreObject(f *schema.Field, v object, stored any, path fieldPath) (any, []violation) {
	old, _ := stored.(object)
	out, violations := make(object, len(v)), []violation(nil)
	for name, child := range v {
		out[name] = child
		if field := fieldOf(f, name); field != nil {
			restored, wrong := restore(field, child, old[name], path.below(name))
			out[name], violations = restored, append(violations, wrong...)
		}
	}
	return out, violations
}

func restoreList(f *schema.Field, v []any, stored any, path fieldPath) (any, []violation) {
	if f.Elements == nil {
		return v, nil
	}
	old, _ := stored.([]any)
	out, violations := make([]any, len(v)), []violation(nil)
	for i, child := range v {
		restored, wrong := restore(f.Elements, child, counterpart(f.Elements, child, old, i), path.below(i))
		out[i], violations = restored, append(violations, wrong...)
	}
	return out, violations
}

// counterpart returns the stored element whose credentials a sent element may get, or
// nil. Reordering a list must not send credentials to another provider: the counterpart
// is the element at the same index if it has the same audience, else any element with
// that audience, if all of these have the same credentials.
func counterpart(f *schema.Field, sent any, stored []any, index int) any {
	if _, ok := sent.(object); !ok {
		if index < len(stored) {
			return stored[index]
		}
		return nil
	}
	if index < len(stored) && audience(sent) == audience(stored[index]) {
		return stored[index]
	}
	var found any
	for _, old := range stored {
		switch {
		case audience(sent) != audience(old):
		case found == nil:
			found = old
		case !reflect.DeepEqual(credentials(f, found), credentials(f, old)):
			return nil
		}
	}
	return found
}

// audience returns, as text, what of a target says which server its credentials are for.
func audience(target any) string {
	o, _ := target.(object)
	model, _ := o["model"].(object)
	options, _ := model["options"].(object)
	auth, _ := o["auth"].(object)
	return string(toJSON([]any{
		model["provider"], options["upstream_url"], options["azure_instance"],
		auth["header_name"], auth["param_name"],
	}, ""))
}

// credentials lists the credentials of a value, by their paths.
func credentials(f *schema.Field, v any) map[string]string {
	found := map[string]string{}
	rewrite(f, v, nil, func(f *schema.Field, v any, path fieldPath) any {
		if t, ok := v.(string); ok && f.Secret {
			found[path.String()] = t
		}
		return v
	})
	return found
}
