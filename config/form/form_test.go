package form

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/schema"
	"semlb/config/tree"
)

// route is a part of a route's fields.
func route() *schema.Field {
	texts := &schema.Field{Kind: tree.List, Elements: text}
	return &schema.Field{Kind: tree.Object, Fields: map[string]*schema.Field{
		"name": text, "paths": texts, "strip_path": {Kind: tree.Bool}, "priority": {Kind: tree.Int},
		"headers": {Kind: tree.Object, FreeForm: true, Elements: texts},
		"service": {Kind: tree.Object, Reference: true},
	}}
}

// add adds the fields of a form, each as name=value.
func add(fields ...string) (*Form, error) {
	f := New(config.Position{})
	for _, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		if err := f.Add(name, tree.NewString(value)); err != nil {
			return f, err
		}
	}
	return f, nil
}

func TestFieldsMakeAnObject(t *testing.T) {
	for fields, want := range map[string]string{
		"name=a strip_path=false priority=7": `{"name":"a","strip_path":false,"priority":7}`,
		"strip_path=no priority=x other=1":   `{"strip_path":"no","priority":"x","other":"1"}`,
		"paths[]=/a paths[]=/b":              `{"paths":["/a","/b"]}`,
		"paths=/a":                           `{"paths":["/a"]}`,
		"paths=/a paths=/b paths=/c":         `{"paths":["/a","/b","/c"]}`,
		"paths[1]=/a paths=/b":               `{"paths":["/a","/b"]}`,
		"paths[2]=/b":                        `{"paths":[null,"/b"]}`,
		"paths[2]=/b paths[1]=/a":            `{"paths":["/a","/b"]}`,
		"paths[]=":                           `{"paths":[]}`,
		"name=":                              `{"name":null}`,
		"headers.x=1 headers.y[]=2":          `{"headers":{"x":["1"],"y":["2"]}}`,
		"service.id=":                        `{"service":{"id":null}}`,
		"a.b[2].c[1][1]=d":                   `{"a":{"b":[null,{"c":[["d"]]}]}}`,
	} {
		f, err := add(strings.Fields(fields)...)
		require.NoError(t, err, fields)
		require.Equal(t, want, string(tree.AppendJSON(nil, f.Tree(route()))), fields)
	}
}

func TestFieldsThatDoNotFitAreErrors(t *testing.T) {
	for fields, want := range map[string]error{
		"=a":           errName,
		"a..b=c":       errName,
		"a]=c":         errName,
		"[1]=c":        errName,
		"a[1]b=c":      errName,
		"a[1=c":        errName,
		"a[0]=c":       errIndex,
		"a[x]=c":       errIndex,
		"a[1001]=c":    errIndex,
		"a=b a.c=d":    errFields,
		"a.c=d a=b":    errFields,
		"a=b a[1]=c":   errList,
		"a[]=b a.c=d":  errFields,
		"a.c=b a[1]=d": errList,
		strings.Repeat("a.", tree.MaxHeight) + "a=b":           errName,
		"a" + strings.Repeat("[1]", tree.MaxHeight) + "=b":     errName,
		"a" + strings.Repeat("[1000]", 20) + "=b":              nil,
		strings.Repeat("a=b ", maxFields):                      nil,
		strings.Repeat("a[]=b ", maxFields):                    nil,
		strings.Repeat("a=b ", maxFields+1):                    ErrTooMany,
		many("a%[1000][1000]=b ", tree.MaxValues/2000-1):       nil,
		many("a%[1000][1000][1000]=b ", tree.MaxValues/3000+1): ErrTooMany,
	} {
		_, err := add(strings.Fields(fields)...)
		require.Equal(t, want, err, "%.60s", fields)
	}
}

// many repeats a text with numbers in place of %.
func many(text string, count int) string {
	var all strings.Builder
	for i := range count {
		all.WriteString(strings.ReplaceAll(text, "%", strconv.Itoa(i)))
	}
	return all.String()
}
