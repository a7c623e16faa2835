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

// The numbers of entities in a page.
const (
	defaultPage = 100
	maxPage     = 1000
)

// page answers with a page of a list that is in the order of the ids.
func (v view) page(r *request, list []*entity) (response, error) {
	query := r.URL.Query()
	list, err := tagged(list, query["tags"])
	if err != nil {
		return response{}, err
	}
	list, next, err := paginate(list, query)
	if err != nil {
		return response{}, err
	}
	return ok(r.page(v.entities(list), next))
}

// paginate returns the page of a list that a query asks for, and the offset of the next
// page, which is empty at the end. An offset is the id of the last entity of a page, so
// that it stays valid when the list changes.
func paginate(list []*entity, query url.Values) (page []*entity, next string, err error) {
	size, err := pageSize(query)
	if err != nil {
		return nil, "", err
	}
	if offset := query.Get("offset"); offset != "" {
		if list, err = after(list, offset); err != nil {
			return nil, "", err
		}
	}
	if len(list) <= size {
		return list, "", nil
	}
	return list[:size], base64.RawURLEncoding.EncodeToString([]byte(list[size-1].id())), nil
}

func pageSize(query url.Values) (int, error) {
	if !query.Has("size") {
		return defaultPage, nil
	}
	n, err := strconv.Atoi(query.Get("size"))
	if err != nil || n < 1 || n > maxPage {
		return 0, &apiError{
			status: http.StatusBadRequest, code: codeInvalidSize, name: "invalid size",
			message: fmt.Sprintf("size must be an integer between 1 and %d", maxPage),
		}
	}
	return n, nil
}

// after returns the entities behind an offset.
func after(list []*entity, offset string) ([]*entity, error) {
	last, err := base64.RawURLEncoding.DecodeString(offset)
	if err != nil || !isUUID(string(last)) {
		return nil, &apiError{
			status: http.StatusBadRequest, code: codeInvalidOffset, name: "invalid offset",
			message: strconv.Quote(offset) + " is not a valid offset",
		}
	}
	i, found := slices.BinarySearchFunc(list, string(last), func(e *entity, id string) int { return strings.Compare(e.id(), id) })
	if found {
		i++
	}
	return list[i:], nil
}

// page returns the body of a page, with the address of the next one.
func (r *request) page(data []any, offset string) object {
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
	body["offset"], body["next"] = offset, r.prefix+"/"+escape(r.path)+"?"+query.Encode()
	return body
}

// tagged returns the entities with all of the tags "a,b", or with any of "a/b".
func tagged(list []*entity, filter []string) ([]*entity, error) {
	if len(filter) == 0 {
		return list, nil
	}
	every, either := strings.Contains(filter[0], ","), strings.Contains(filter[0], "/")
	if filter[0] == "" || every && either {
		return nil, &apiError{
			status: http.StatusBadRequest, code: codeInvalidOptions, name: "invalid options",
			message: "invalid option (tags: invalid filter syntax)", fields: object{"tags": "invalid filter syntax"},
		}
	}
	wanted := strings.FieldsFunc(filter[0], func(r rune) bool { return r == ',' || r == '/' })
	return slices.DeleteFunc(slices.Clone(list), func(e *entity) bool {
		lacks := func(tag string) bool { return !e.hasTag(tag) }
		if either {
			return !slices.ContainsFunc(wanted, e.hasTag)
		}
		return slices.ContainsFunc(wanted, lacks)
	}), nil
}

func (e *entity) hasTag(tag string) bool {
	tags, _ := e.fields["tags"].([]any)
	return slices.ContainsFunc(tags, func(t any) bool { return t == tag })
}
