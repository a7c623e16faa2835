package admin

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"strconv"
	"time"

	"github.com/google/uuid"

	"semlb/config/schema"
)

// upsert is a request to create an entity, to replace it or to patch it.
type upsert struct {
	scope
	// name is the id or the key in the path; empty where the entity is new.
	name string
	// replace is set for PUT: what the client does not send is not kept.
	replace bool
	// body is what the client sent.
	body object
}

// draft is the entity of an upsert before it is stored.
type draft struct {
	*entity
	// old is the stored entity, nil if there is none.
	old *entity
	// patch is set if fields of old are kept.
	patch bool
	// pathID is the id that the path leads to, or empty.
	pathID string
	// generated are the fields with credentials that the API made up.
	generated []string
	// violations are what is wrong with the entity before config has checked it.
	violations []violation
}

// draft makes the entity of an upsert, for a state that it is to be put into.
func (u upsert) draft(s *state) (*draft, error) {
	d, err := u.find(s)
	if err != nil {
		return nil, err
	}
	d.fill(u)
	if err := d.kind.checkName(d.fields); err != nil {
		return nil, err
	}
	d.identify(time.Now())
	if err := d.resolve(s); err != nil {
		return nil, err
	}
	d.generate()
	d.validate()
	if d.old == nil && s.get(d.kind.name, d.id()) != nil {
		return nil, primaryKeyViolation(d.id())
	}
	return d, nil
}

// find returns a draft for what the path leads to. There must be something to patch.
func (u upsert) find(s *state) (*draft, error) {
	d := &draft{entity: &entity{kind: u.kind}, patch: u.name != "" && !u.replace}
	if u.name == "" {
		return d, nil
	}
	d.old = u.named(s, u.name)
	switch {
	case d.old != nil:
		d.pathID = d.old.id()
	case !u.replace:
		return nil, notFound()
	case isUUID(u.name):
		d.pathID = u.name
	}
	return d, nil
}

// fill combines what the client sent with what is stored.
func (d *draft) fill(u upsert) {
	var stored any
	if d.old != nil {
		stored = d.old.fields
	}
	described := d.kind.fieldsOf(firstText(u.body, "name"))
	if d.patch {
		described = d.kind.fieldsOf(cmp.Or(text(u.body, "name"), d.old.text("name")))
	}
	sent, violations := restore(described, u.body, stored, nil)
	d.fields, _ = sent.(object)
	d.violations = violations
	if u.parent != nil {
		d.fields[u.field] = u.parent.foreignKey()
	}
	if d.patch {
		d.fields, _ = merge(described, stored, d.fields).(object)
	}
	d.fields, _ = prune(d.fields).(object)
}

// merge returns what a PATCH makes of a stored value: records are merged, and everything
// else is replaced. Null replaces a value too.
func merge(f *schema.Field, stored, patch any) any {
	p, ok := patch.(object)
	old, was := stored.(object)
	if !ok || !was || f.Type() != "record" && f != unknownSettings {
		return patch
	}
	out := maps.Clone(old)
	for name, v := range p {
		if field := fieldOf(f, name); field != nil {
			v = merge(field, old[name], v)
		}
		out[name] = v
	}
	return out
}

// identify sets the id and the times.
func (d *draft) identify(now time.Time) {
	given := text(d.fields, "id")
	malformed := d.fields["id"] != nil && !isUUID(given)
	switch {
	case malformed:
		d.violations = append(d.violations, wrong("expected a valid UUID", "id"))
	case d.pathID != "" && given != "" && given != d.pathID:
		d.violations = append(d.violations, wrong("differs from the id of the entity", "id"))
	}
	switch {
	case d.pathID != "":
		d.fields["id"] = d.pathID
	case given == "" || malformed:
		d.fields["id"] = uuid.NewString()
	}
	seconds := json.Number(strconv.FormatInt(now.Unix(), 10))
	switch {
	case d.old != nil && d.old.fields["created_at"] != nil:
		d.fields["created_at"] = d.old.fields["created_at"]
	case d.fields["created_at"] == nil:
		d.fields["created_at"] = seconds
	}
	if d.kind.fields.Fields["updated_at"] != nil {
		d.fields["updated_at"] = seconds
	}
}

// isUUID reports whether a text is an id. Package uuid takes forms without dashes, or
// inside braces, as well.
func isUUID(text string) bool { return len(text) == 36 && uuid.Validate(text) == nil }

// resolve replaces the references by the ids of what they name. One that does not change
// may be from a file, and name what no file has.
func (d *draft) resolve(s *state) error {
	for _, r := range d.kind.references {
		v := d.fields[r.field]
		if v == nil || d.old != nil && reflect.DeepEqual(v, d.old.fields[r.field]) {
			continue
		}
		named, ok := v.(object)
		if !ok {
			return schemaViolation(wrong("expected a record", r.field))
		}
		e, err := r.resolve(s, named)
		if err != nil {
			return err
		}
		d.fields[r.field] = e.foreignKey()
	}
	return nil
}

// resolve returns the entity that a reference names by its id or its key.
func (r reference) resolve(s *state, named object) (*entity, error) {
	if id := text(named, "id"); id != "" {
		if e := s.get(r.to, id); e != nil {
			return e, nil
		}
		return nil, foreignKeyViolation(r, object{"id": id})
	}
	key := s.kinds.named(r.to).key
	name := firstText(named, key, "name")
	if name == "" {
		return nil, schemaViolation(wrong(missing, r.field, "id"))
	}
	if e := s.find(r.to, name); e != nil {
		return e, nil
	}
	return nil, unresolved(r, key, name)
}
