package provider

import "io"

// Dialect is the wire format of a provider, prepared for one target. OpenAI's
// format is the neutral one: clients write it, and each dialect translates
// between it and its own. Implementations must be safe for concurrent use and
// pass provider/providertest.
//
// A dialect writes bodies only. Host, path, query, headers and credentials are
// [Target]'s, so that no dialect can send a credential to the wrong provider.
type Dialect interface {
	// Site returns where the provider serves the target's route type. [New] calls
	// it once.
	Site() Site

	// Fields lists the top-level members of the client's body that Body may set or
	// remove, except the credentials it is given. [New] calls it once. A dialect
	// with a Translator writes the whole body anew and may return nil.
	Fields() []string

	// Body writes the client's request for model, the name of the model that is
	// to serve, and applies credentials: top-level members to set or remove. It may
	// return the client's own body where nothing changes. Its error is a
	// [*RequestError] if the client's request is at fault.
	Body(req *Request, model string, credentials []Edit) ([]byte, error)

	// Translator returns a new translator for one answer. Nil means that answers
	// are in the client's format already and pass untouched, whether they stream
	// or not.
	Translator(streaming bool) Translator

	// Meter returns a new meter for one answer, as the provider writes it.
	Meter(streaming bool) Meter
}

// Site is where a provider serves requests, before the target's own settings
// (upstream_url, upstream_path, auth) replace parts of it.
type Site struct {
	// Host is served over HTTPS on port 443. Empty means that the provider has none
	// and upstream_url is required.
	Host string
	// Path is a template, escaped, with a leading slash.
	Path string
	// Params are query parameters that the provider needs.
	Params []Param
	// AuthHeader is the header for a credential that names none, in lower case.
	AuthHeader string
}

// Param is a query parameter that a target adds.
type Param struct {
	Name  string // decoded
	Value string // a template, escaped
	// Yields means that the client's own parameter of that name wins.
	Yields bool
}

// Translator translates one answer of a provider into OpenAI's format while it
// passes. Header runs first, once. Then either Error runs, once, for an answer
// with an error status, or Body runs for every piece of the body. It is used by
// one goroutine.
type Translator interface {
	// Header returns the header fields to set (":status" among them) and to remove.
	// The header function looks up a field of the answer by its lower-case name.
	Header(status int, header func(name string) (string, bool)) (set []Header, remove []string)

	// Body appends to dst what the next piece of the body becomes, and returns it.
	// The last call has end set, and may have an empty piece. It keeps nothing of
	// piece. After an error the answer cannot be continued.
	Body(dst, piece []byte, end bool) ([]byte, error)

	// Error appends to dst what a whole error body becomes, and returns it.
	Error(dst []byte, status int, body []byte) []byte
}

// Meter reads the usage out of one answer as its bytes pass. It is used by one
// goroutine, and bounds what it keeps.
type Meter interface {
	// Write takes the next bytes. It never fails and keeps nothing of its argument.
	io.Writer

	// Usage returns what the answer reported, or else an estimate by the words of
	// the prompt; see [EstimateUsage]. It is called once, at the end of the answer.
	Usage(promptWords int) Usage
}
