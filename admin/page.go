package admin

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPage = 100
	maxPage     = 1000
)

// page answers with a part of a list, which is in the order of the ids.
func (a *API) page(r *request, s *snapshot, k *kind, list []object) (answer, *failure) {
	query := r.URL.Query()
	list, f := tagged(list, query["tags"])
	if f != nil {
		return answer{}, f
	}
	list, next, f := cut(list, query, func(e object) string { return text(e, "id") })
	if f != nil {
		return answer{}, f
	}
	data := make([]any, 0, len(list))
	for _, e := range list {
		data = append(data, a.shown(s, k, e, r.reveals()))
	}
	return ok(r.paged(data, next))
}

// cut returns the part of a sorted list that a query asks for, and the offset of
// what follows, which is empty at the end. Offsets stay good when the list changes.
func cut(list []object, query url.Values, id func(object) string) ([]object, string, *failure) {
	size := defaultPage
	if given := query.Get("size"); query.Has("size") {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > maxPage {
			return nil, "", &failure{
				status: http.StatusBadRequest, code: codeInvalidSize, name: "invalid size",
				message: fmt.Sprintf("size must be an integer between 1 and %d", maxPage),
			}
		}
		size = n
	}
	if offset := query.Get("offset"); offset != "" {
		after, err := base64.RawURLEncoding.DecodeString(offset)
		if err != nil || !isUUID(string(after)) {
			return nil, "", &failure{
				status: http.StatusBadRequest, code: codeInvalidOffset, name: "invalid offset",
				message: strconv.Quote(offset) + " is not a valid offset",
			}
		}
		i, found := slices.BinarySearchFunc(list, string(after), func(e object, after string) int {
			return strings.Compare(id(e), after)
		})
		if found {
			i++
		}
		list = list[i:]
	}
	if len(list) <= size {
		return list, "", nil
	}
	list = list[:size]
	return list, base64.RawURLEncoding.EncodeToString([]byte(id(list[size-1]))), nil
}

// paged returns a page with the address of the next one.
func (r *request) paged(data []any, offset string) object {
	body := object{"data": data, "next": nil}
	if offset == "" {
		return body
	}
	query := url.Values{"offset": {offset}}
	for _, name := range []string{"size", "tags"} {
		if v := r.URL.Query().Get(name); v != "" {
			query.Set(name, v)
		}
	}
	path := r.prefix
	for _, segment := range r.path {
		path += "/" + url.PathEscape(segment)
	}
	body["offset"], body["next"] = offset, path+"?"+query.Encode()
	return body
}

// tagged returns the entities with all of the tags "a,b", or any of "a/b".
func tagged(list []object, given []string) ([]object, *failure) {
	if len(given) == 0 {
		return list, nil
	}
	every, either := strings.Contains(given[0], ","), strings.Contains(given[0], "/")
	if given[0] == "" || every && either {
		return nil, &failure{
			status: http.StatusBadRequest, code: codeInvalidOptions, name: "invalid options",
			message: "invalid option (tags: invalid filter syntax)", fields: object{"tags": "invalid filter syntax"},
		}
	}
	want := strings.FieldsFunc(given[0], func(r rune) bool { return r == ',' || r == '/' })
	return slices.DeleteFunc(slices.Clone(list), func(e object) bool {
		tags, _ := e["tags"].([]any)
		has := func(tag string) bool { return slices.Contains(tags, any(tag)) }
		if either {
			return !slices.ContainsFunc(want, has)
		}
		return slices.ContainsFunc(want, func(tag string) bool { return !has(tag) })
	}), nil
}
