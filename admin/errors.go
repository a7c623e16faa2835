package admin

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"semlb/wire"
)

// Kong's codes of errors.
const (
	codeSchemaViolation = 2
	codePrimaryKey      = 3
	codeForeignKey      = 4
	codeUnique          = 5
	codeInvalidOffset   = 7
	codeInvalidSize     = 9
	codeInvalidOptions  = 11
	codeUnsupported     = 12
	codeUnresolved      = 13
)

// apiError is an error that a client gets. It holds no secret.
type apiError struct {
	status int
	// code is one of Kong's, or 0 for an error that has a message alone.
	code    int
	name    string
	message string
	fields  object
}

// Error returns the message.
func (e *apiError) Error() string { return e.message }

// body returns the error as Kong writes it.
func (e *apiError) body() object {
	if e.code == 0 {
		return object{"message": e.message}
	}
	fields := e.fields
	if fields == nil {
		fields = object{}
	}
	return object{"code": e.code, "name": e.name, "message": e.message, "fields": fields}
}

func plainError(status int, message string) error {
	return &apiError{status: status, message: message}
}

func notFound() error { return plainError(http.StatusNotFound, "Not found") }

func notAllowed() error {
	return plainError(http.StatusMethodNotAllowed, "Method not allowed")
}

func uniqueViolation(key object) error {
	return &apiError{
		status: http.StatusConflict, code: codeUnique, name: "unique constraint violation",
		message: fmt.Sprintf("UNIQUE violation detected on '%s'", luaText(key)), fields: key,
	}
}

func primaryKeyViolation(id string) error {
	key := object{"id": id}
	return &apiError{
		status: http.StatusBadRequest, code: codePrimaryKey, name: "primary key violation",
		message: "primary key violation on key '" + luaText(key) + "'", fields: key,
	}
}

// foreignKeyViolation says that a reference has the id of no entity.
func foreignKeyViolation(r reference, key object) error {
	return &apiError{
		status: http.StatusBadRequest, code: codeForeignKey, name: "foreign key violation",
		message: fmt.Sprintf("the foreign key '%s' does not reference an existing '%s' entity.", luaText(key), r.to),
		fields:  object{r.field: key},
	}
}

// unresolved says that a reference has a name of no entity.
func unresolved(r reference, key, name string) error {
	shown := luaText(object{key: wire.MaskKeys(name)})
	text := fmt.Sprintf("the foreign key cannot be resolved with '%s' for an existing '%s' entity", shown, r.to)
	return &apiError{
		status: http.StatusBadRequest, code: codeUnresolved, name: "foreign keys unresolved",
		message: fmt.Sprintf("foreign key unresolved (%s.%s: %s)", r.field, key, text),
		fields:  object{r.field: object{key: text}},
	}
}

// stillReferenced says that an entity cannot be deleted.
func stillReferenced(kind, by string) error {
	return &apiError{
		status: http.StatusBadRequest, code: codeForeignKey, name: "foreign key violation",
		message: fmt.Sprintf("an existing '%s' entity references this '%s' entity", by, kind),
		fields:  object{"@referenced_by": by},
	}
}

// readOnly refuses a write as Kong does without a database.
func readOnly(method string, k *kind) error {
	verb := "update"
	switch method {
	case http.MethodPost:
		verb = "create"
	case http.MethodDelete:
		verb = "remove"
	}
	return &apiError{
		status: http.StatusMethodNotAllowed, code: codeUnsupported, name: "operation unsupported",
		message: "cannot " + verb + " '" + k.name + "' entities when not using a database: start semlb with --state FILE",
	}
}

// luaText writes an object as Kong's messages do.
func luaText(o object) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(o)) {
		switch v := o[name].(type) {
		case object:
			parts = append(parts, name+"="+luaText(v))
		case nil:
			parts = append(parts, name+"=null")
		default:
			parts = append(parts, name+"="+strings.TrimSuffix(string(toJSON(v, "")), "\n"))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}
