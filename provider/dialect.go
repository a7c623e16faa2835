package provider

import "io"

// Dialect is the wire format of a provider, prepared for one target. Clients speak
// OpenAI's format, and each dialect translates between that and its own.
// Implementations must be safe for concurrent use and pass provider/providertest.
//
// A dialect decides about bodies only. Host, path, query, headers and credentials
// are up to [Target], so that no dialect can send a credential to the wrong provider.
type Dialect interface {
	// Site returns where the provider serves the target's route type. [New] calls
	// it once.
	Site() Site

	// Fields lists the top-level members of the client's body that Body may set or
	// remove, except the credentials it is given. [New] calls it once. A dialect
	// with a Translator writes the whole body anew and may return nil.
	Fields() []string

	// Body writes the client's request for model, the name of the model that
	// serves, and applies credentials, which are top-level members to set or remove.
	// It may return the client's own body if nothing changes. The error is a
	// [*RequestError] if the client's request is at fault.
	Body(req *Request, model string, credentials []Edit) ([]byte, error)

	// Translator returns a new translator for one answer. Nil means that all answers
	// of the dialect are in the client's format already and pass untouched.
	Translator(Answer) Translator

	// Meter returns a new meter for one answer, as the provider writes it.
	Meter(Answer) Meter
}

// Answer is what is known of an answer before its body arrives.
type Answer struct {
	Streaming   bool
	PromptWords int // of the request, see [Request.Words]
}

// Site is where a provider serves requests. The target's settings (upstream_url,
// upstream_path, auth) may replace parts of it.
type Site struct {
	// Host is reached over HTTPS on port 443. If it is empty, upstream_url is
	// required.
	Host string
	// Path is a template, escaped, with a leading slash.
	Path string
	// Params are query parameters that the provider needs.
	Params []Param
	// AuthHeader is the header that holds a credential if the settings name none, in
	// lower case.
	AuthHeader string
}

// Param is a query parameter that a target adds.
type Param struct {
	Name  string // decoded
	Value string // a template, escaped
	// Yields means that the client's parameter of that name wins.
	Yields bool
}

// Translator translates one answer of a provider into OpenAI's format while it
// passes. Header runs first. Then Error runs once if the status is an error, or else
// Body runs for each piece of the body. Only one goroutine uses it.
type Translator interface {
	// Header returns the header fields to set (":status" among them) and to remove.
	// The header function looks up a field of the answer by its lower-case name.
	Header(status int, header func(name string) (string, bool)) (set []Header, remove []string)

	// Body appends the translation of the next piece to dst and returns it. The last
	// call has end set and may have an empty piece. Body must not retain piece. After
	// an error the answer cannot be continued.
	Body(dst, piece []byte, end bool) ([]byte, error)

	// Error appends the translation of a whole error body to dst and returns it.
	Error(dst []byte, status int, body []byte) []byte
}

// Meter reads the usage from one answer as its bytes pass. Its memory is bounded.
// Only one goroutine uses it.
type Meter interface {
	// Write reads the next bytes. It never fails and must not retain them.
	io.Writer

	// Usage returns what the answer reported, or else an estimate, see
	// [Answer.EstimateUsage]. It is called once, at the end of the answer.
	Usage() Usage
}
