package admin

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"

	"semlb/config/schema"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 8 << 20

// described returns what describes an object with a name.
type described func(name string) *schema.Field

// readBody reads the object that a client sent: in JSON, or as a form of the fields of f.
func readBody(r *request, f described) (object, error) {
	r.Body = http.MaxBytesReader(r.w, r.Body, maxBody)
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		media = ""
	}
	switch media {
	case "application/x-www-form-urlencoded":
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, bodyError(err)
		}
		values, err := url.ParseQuery(string(data))
		if err != nil {
			return nil, plainError(http.StatusBadRequest, "Cannot parse form body")
		}
		return parseForm(values, f)
	case "multipart/form-data":
		if err := r.ParseMultipartForm(maxBody); err != nil { //nolint:gosec // the body is bounded
			return nil, bodyError(err)
		}
		return parseForm(r.MultipartForm.Value, f)
	default:
		return readJSONBody(r.Body, media)
	}
}

func readJSONBody(body io.Reader, media string) (object, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, bodyError(err)
	}
	if len(data) == 0 {
		return object{}, nil
	}
	if media != "application/json" {
		return nil, plainError(http.StatusUnsupportedMediaType, "Cannot read the body: want Content-Type application/json, application/x-www-form-urlencoded or multipart/form-data")
	}
	v, err := parseJSON(data)
	o, ok := v.(object)
	if err != nil || !ok {
		return nil, plainError(http.StatusBadRequest, "Cannot parse JSON body")
	}
	return o, nil
}

func bodyError(err error) error {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return plainError(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than %d bytes", maxBody))
	}
	return plainError(http.StatusBadRequest, "Cannot read the body")
}
