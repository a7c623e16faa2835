package wire

import (
	"bytes"
	"encoding/json"
)

// openAIError is the body of an error of the OpenAI API, its members in the API's order.
type openAIError struct {
	Error struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	} `json:"error"`
}

// ErrorBody returns an error as the OpenAI API writes it, so that its clients show the
// message. The parameter kind is the member "type", such as "invalid_request_error";
// "param" is null. What is not UTF-8 becomes U+FFFD.
func ErrorBody(message, kind, code string) []byte {
	var e openAIError
	e.Error.Message, e.Error.Type, e.Error.Code = message, kind, code
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(e) // a buffer takes everything, and strings always encode
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
