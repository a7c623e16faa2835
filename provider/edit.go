package provider

import "bytes"

// Edit sets or removes one top-level member of a request.
type Edit struct {
	// Name is the member's name, decoded. No two edits of a call share one.
	Name string
	// Raw is the new value, as JSON. Nil removes the member.
	Raw []byte
}

// Edit writes the client's request with edits applied. A member of the body keeps
// its place, a new one goes to the end, a removed one takes exactly one comma with
// it, and every other byte is copied. Without edits the result is the client's body
// itself, unless an earlier attempt changed it.
//
// It returns a [*RequestError] if the body spells the name of an edit differently.
func (r *Request) Edit(edits ...Edit) ([]byte, error) {
	size := len(r.body)
	for _, e := range edits {
		if err := r.checkSpelling(e.Name); err != nil {
			return nil, err
		}
		size += len(e.Name) + len(e.Raw) + len(`,"":`)
	}
	if len(edits) == 0 && !r.restored {
		return r.body, nil
	}
	w := writer{req: r, edits: edits, out: make([]byte, 0, size+r.originalSize())}
	return w.write(), nil
}

// checkSpelling refuses a body that has name escaped or in another letter case.
// [ReadRequest] has checked the names it knows; this covers all others, such as the
// names of credentials.
func (r *Request) checkSpelling(name string) error {
	for i := range r.members {
		m := &r.members[i]
		if r.named(m, name) {
			continue
		}
		raw := r.body[m.name.start:m.name.end]
		key := raw[1 : len(raw)-1]
		if escaped(raw) {
			key = []byte(unquote(raw))
		}
		if bytes.EqualFold(key, []byte(name)) {
			return ambiguous(name)
		}
	}
	return nil
}

// originalSize bounds what the client's own values can add to the body.
func (r *Request) originalSize() int {
	size := 0
	for i := range r.members {
		size += len(r.members[i].original)
	}
	for _, e := range r.missing {
		size += len(e.Name) + len(e.Raw) + len(`,"":`)
	}
	return size
}

// writer splices one request.
type writer struct {
	req   *Request
	edits []Edit
	out   []byte
	kept  int // members written so far
}

func (w *writer) write() []byte {
	r := w.req
	w.out = append(w.out, r.body[:r.open]...)
	tail := r.open
	for i := range r.members {
		w.member(i)
		tail = r.members[i].value.end
	}
	for _, e := range r.missing {
		if _, ok := w.edit([]byte(e.Name)); !ok {
			w.add(e)
		}
	}
	for _, e := range w.edits {
		if e.Raw != nil && !r.has(e.Name) {
			w.add(e)
		}
	}
	return append(w.out, r.body[tail:]...)
}

// member writes the i-th member, unless it is removed.
func (w *writer) member(i int) {
	r, m := w.req, &w.req.members[i]
	if m.dropped {
		return
	}
	value := r.value(m)
	if e, ok := w.edit(r.body[m.name.start+1 : m.name.end-1]); ok {
		value = e.Raw
	}
	if value == nil {
		return
	}
	// Between two members are a comma and white space. The first member that is
	// written takes what follows the opening brace instead.
	before := span{r.open, r.members[0].name.start}
	if w.kept > 0 {
		before = span{r.members[i-1].value.end, m.name.start}
	}
	w.out = append(w.out, r.body[before.start:before.end]...)
	w.out = append(w.out, r.body[m.name.start:m.value.start]...)
	w.out = append(w.out, value...)
	w.kept++
}

// add writes a member that the body does not have.
func (w *writer) add(e Edit) {
	if w.kept > 0 {
		w.out = append(w.out, ',')
	}
	w.out = appendQuote(w.out, e.Name)
	w.out = append(w.out, ':')
	w.out = append(w.out, e.Raw...)
	w.kept++
}

func (w *writer) edit(name []byte) (Edit, bool) {
	for _, e := range w.edits {
		if e.Name == string(name) {
			return e, true
		}
	}
	return Edit{}, false
}

// has reports whether the client sent a member that is still in the body.
func (r *Request) has(name string) bool {
	for i := range r.members {
		if m := &r.members[i]; !m.dropped && r.named(m, name) {
			return true
		}
	}
	return false
}
