package script

import (
	"net/http"
	"slices"

	"semlb/config/format"
	"semlb/config/tree"
)

// sequence is what requests make, one after the other: later ones change and delete what
// earlier ones make.
type sequence struct {
	in *format.Input
	// made are the requests that make entities. Those of deleted ones have no body.
	made []request
	// index has the last one that is called something in a collection.
	index map[called]int
}

// called is what an entity of a collection is called. A member of a group is called by
// the names of both.
type called struct{ collection, name, other string }

// run returns the requests that make what is there after all requests.
func run(in *format.Input, requests []request) []request {
	s := sequence{in: in, index: map[called]int{}}
	for _, r := range requests {
		s.next(r)
	}
	return slices.DeleteFunc(s.made, func(r request) bool { return r.body == nil })
}

func (s *sequence) next(r request) {
	i, found := s.find(r)
	switch {
	case r.method == http.MethodDelete && !found:
		s.in.Warn(r.pos, "", "a request that deletes what no request before it makes is ignored")
		return
	case found && r.conditional && r.takesAway():
		s.in.Problem(r.pos, "", "not supported yet: a request that takes away what the script makes, only if a condition is met or a function is called")
		return
	case r.method == http.MethodDelete:
		s.remove(i)
		return
	case r.method == http.MethodPatch && found:
		old := s.made[i].body
		if !s.in.Charge(old) {
			s.in.Problem(r.pos, "", "too many values")
			return
		}
		s.made[i].body = patched(old, r.body)
	case r.method == http.MethodPut && found:
		s.made[i] = r
	default:
		i = len(s.made)
		s.made = append(s.made, r)
	}
	for _, name := range s.made[i].names() {
		s.index[name] = i
	}
}

// takesAway reports whether a request deletes or disables an entity.
func (r request) takesAway() bool {
	enabled := r.body.Get("enabled")
	return r.method == http.MethodDelete || r.method == http.MethodPatch && enabled != nil && enabled.Text == "false"
}

// find returns the index of what the path of a request names.
func (s *sequence) find(r request) (int, bool) {
	collection, name := r.collection()
	if name == "" {
		return 0, false
	}
	key := called{collection: collection, name: name}
	if collection == members {
		key = r.membership()
	}
	i, found := s.index[key]
	return i, found && s.made[i].body != nil
}

// remove deletes an entity, and what is in it.
func (s *sequence) remove(i int) {
	collection, _ := s.made[i].collection()
	names := map[string]bool{}
	for _, key := range s.made[i].names() {
		names[key.name] = true
	}
	s.made[i].body = nil
	for j, r := range s.made {
		if len(r.parts) > 2 && r.parts[0] == collection && names[r.parts[1]] {
			s.made[j].body = nil
		}
	}
}

// members is the collection of the consumers in a group, and of the groups of a consumer.
const members = "members"

// credentialPaths are the paths at the top level of what consumers have.
var credentialPaths = map[string]string{"key-auths": "key-auth", "basic-auths": "basic-auth", "jwts": "jwt", "acls": "acls"}

// collection returns what a request's path is about, such as routes, and the name of the
// one in it, if the path has one.
func (r request) collection() (collection, name string) {
	last := len(r.parts) - 1
	collection = r.parts[last]
	if last%2 == 1 {
		collection, name = r.parts[last-1], r.parts[last]
	}
	if top, ok := credentialPaths[collection]; ok {
		collection = top
	}
	if last > 1 && (collection == "consumers" || collection == "consumer_groups") {
		collection = members
	}
	return collection, name
}

// membership returns what a request about a member calls it: consumer and group.
func (r request) membership() called {
	other := r.part(3)
	if other == "" {
		other = r.body.Get("consumer").Str() + r.body.Get("group").Str()
	}
	if r.part(0) == "consumers" {
		return called{members, r.part(1), other}
	}
	return called{members, other, r.part(1)}
}

// nameFields are the fields by which paths name an entity of a collection.
var nameFields = map[string][]string{
	"services": {"id", "name"}, "routes": {"id", "name"}, "consumer_groups": {"id", "name"}, "plugins": {"id", "instance_name"},
	"consumers": {"id", "username", "custom_id"}, "vaults": {"id", "prefix"},
	"key-auth": {"id", "key"}, "basic-auth": {"id", "username"}, "jwt": {"id", "key"},
	"acls": {"id", "group"},
}

// names returns what paths may call what a request makes.
func (r request) names() []called {
	collection, name := r.collection()
	if collection == members {
		return []called{r.membership()}
	}
	var names []called
	add := func(name string) {
		if name != "" {
			names = append(names, called{collection: collection, name: name})
		}
	}
	add(name)
	for _, f := range nameFields[collection] {
		add(r.body.Get(f).Str())
	}
	return names
}

// patched returns what a PATCH makes of a body: objects are merged, everything else is
// replaced, and null takes a field away.
func patched(old, patch *tree.Node) *tree.Node {
	if old.Kind != tree.Object || patch.Kind != tree.Object {
		return patch
	}
	c := *old
	c.Fields = slices.Clone(old.Fields)
	index := make(map[string]int, len(c.Fields))
	for i, f := range c.Fields {
		index[f.Name] = i
	}
	for _, f := range patch.Fields {
		if i, found := index[f.Name]; found {
			c.Fields[i] = tree.Field{Name: f.Name, Pos: f.Pos, Value: patched(c.Fields[i].Value, f.Value)}
		} else {
			c.Fields = append(c.Fields, f)
		}
	}
	return &c
}
