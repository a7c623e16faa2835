package admin

import (
	"context"
	"net/http"
	"reflect"
	"time"
)

// draft is an entity on its way into the state.
type draft struct {
	kind *kind
	// body is what the client sent.
	body object
	// find is the name in the path; empty where the entity is new.
	find string
	// old is what is there before; nil if nothing is.
	old object
	// id is the one the path leads to, if it does.
	id string
	// parent is a reference that the path gives.
	parent  string
	owner   object
	replace bool // PUT: what is not sent is not kept
	// generated are the credentials that the server made up.
	generated []string
}

// write puts a draft into the state and returns the entity as it is kept.
func (a *API) write(ctx context.Context, d *draft) (object, *failure) {
	var result object
	f := a.change(ctx, func(s *state) (edit, *failure) {
		if f := d.look(s); f != nil {
			return edit{}, f
		}
		e, violations, f := a.entity(s, d)
		if f != nil {
			return edit{}, f
		}
		result = e
		written := edit{changed: true, entity: entityID{d.kind.name, text(e, "id")}, violations: violations}
		written.conflict = s.conflict(a.kinds, d.kind, e)
		s.entities[d.kind.name][written.entity.id] = e
		return written, nil
	})
	return result, f
}

// look finds what the draft changes. PATCH needs something to be there.
func (d *draft) look(s *state) *failure {
	if d.find == "" {
		return nil
	}
	e, found := s.find(d.kind, d.find)
	switch {
	case found:
		d.old, d.id = e, text(e, "id")
	case !d.replace:
		return notFound()
	case isUUID(d.find):
		d.id = d.find
	}
	return nil
}

// entity makes an entity of what a client sent and what is there.
func (a *API) entity(s *state, d *draft) (object, []violation, *failure) {
	restored, violations := d.kind.shape.restored(d.body, stored(d.old), nil)
	e, _ := restored.(object)
	if d.owner != nil {
		e[d.parent] = d.owner
	}
	if d.old != nil && !d.replace {
		e, _ = d.kind.shape.merged(d.old, e).(object)
	}
	e, _ = prune(e).(object)
	now := integer(time.Now().Unix())
	violations = append(violations, identify(e, d, now)...)
	if f := a.resolve(s, d.kind, e, d.old); f != nil {
		return nil, nil, f
	}
	if d.kind.credential() && e["consumer"] == nil {
		violations = append(violations, wrong(missing, "consumer"))
	}
	d.generate(e)
	violations = append(violations, d.kind.check(e)...)
	for name, field := range d.kind.shape.fields {
		// What a file has without, a PATCH of something else need not add.
		kept := d.old != nil && !d.replace && d.old[name] == nil
		if field.required && e[name] == nil && !kept {
			violations = append(violations, wrong(missing, name))
		}
	}
	return e, violations, primaryKeyTaken(s, d, e)
}

// stored returns an object as a value; none is nil.
func stored(o object) any {
	if o == nil {
		return nil
	}
	return o
}

// identify gives an entity its id and its times.
func identify(e object, d *draft, now any) []violation {
	var violations []violation
	given := text(e, "id")
	switch {
	case e["id"] != nil && !isUUID(given):
		violations = append(violations, wrong("expected a valid UUID", "id"))
	case d.id != "" && given != "" && given != d.id:
		violations = append(violations, wrong("got another id than the entity's", "id"))
	}
	switch {
	case d.id != "":
		e["id"] = d.id
	case given == "" || violations != nil:
		e["id"] = newUUID()
	}
	switch {
	case d.old["created_at"] != nil:
		e["created_at"] = d.old["created_at"]
	case e["created_at"] == nil:
		e["created_at"] = now
	}
	if d.kind.shape.fields["updated_at"] != nil {
		e["updated_at"] = now
	}
	return violations
}

func primaryKeyTaken(s *state, d *draft, e object) *failure {
	if _, taken := s.entities[d.kind.name][text(e, "id")]; taken && d.old == nil {
		key := object{"id": e["id"]}
		return &failure{
			status: http.StatusBadRequest, code: codePrimaryKey, name: "primary key violation",
			message: "primary key violation on key '" + luaText(key) + "'", fields: key,
		}
	}
	return nil
}

// resolve replaces references by the ids of what they name. One that stays as it
// was may come from a file, and name what no file has.
func (a *API) resolve(s *state, k *kind, e, old object) *failure {
	for _, r := range k.refs {
		if e[r.field] == nil || reflect.DeepEqual(e[r.field], old[r.field]) {
			continue
		}
		target, ok := e[r.field].(object)
		parent := a.kinds[r.kind]
		if !ok {
			return schemaViolation([]violation{wrong("expected a record", r.field)})
		}
		switch id, name := text(target, "id"), firstText(target, parent.key, "name"); {
		case id != "":
			if s.entities[r.kind][id] == nil {
				return foreignKeyViolation(r.field, object{"id": id}, r.kind)
			}
			e[r.field] = object{"id": id}
		case name != "":
			found, ok := s.find(parent, name)
			if !ok {
				return unresolved(r.field, parent.key, name, r.kind)
			}
			e[r.field] = object{"id": found["id"]}
		default:
			return schemaViolation([]violation{wrong(missing, r.field, "id")})
		}
	}
	return nil
}

// conflict tells which other entity has what must be unique.
func (s *state) conflict(kinds map[string]*kind, k *kind, e object) *failure {
	others := s.all(k.name, func(o object) bool { return o["id"] != e["id"] })
	for _, field := range k.unique {
		value := text(e, field)
		if value == "" {
			continue
		}
		for _, o := range others {
			if text(o, field) == value {
				shown := k.shape.fields[field].masked(value)
				return uniqueViolation(object{field: shown})
			}
		}
	}
	// Files name a consumer by either of its names, so that both are of one set.
	if k.name == consumers {
		for _, o := range others {
			for _, pair := range [][2]string{{"username", "custom_id"}, {"custom_id", "username"}} {
				if v := text(e, pair[0]); v != "" && v == text(o, pair[1]) {
					return uniqueViolation(object{pair[0]: v})
				}
			}
		}
	}
	if k.name == plugins {
		return scopeTaken(kinds, others, e)
	}
	return nil
}

// scopeTaken tells whether a plugin of the same name applies to the same.
func scopeTaken(kinds map[string]*kind, others []object, e object) *failure {
	key := object{"name": e["name"]}
	for _, r := range kinds[plugins].refs {
		key[r.field] = e[r.field]
	}
	for _, o := range others {
		same := o["name"] == e["name"]
		for _, r := range kinds[plugins].refs {
			same = same && luaText(object{"": o[r.field]}) == luaText(object{"": e[r.field]})
		}
		if same {
			return uniqueViolation(key)
		}
	}
	return nil
}
