package server

import (
	"errors"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
	"semlb/provider"
	"semlb/record"
	"semlb/wire"
)

// responder makes and records the answers of semlb itself.
type responder struct {
	recorder *record.Recorder
	panics   panics
	now      func() time.Time
}

// continueResponse lets Envoy continue with the body.
var continueResponse = envoy.Continue()

// answer ends a request with a JSON body.
func (r *responder) answer(x *exchange, body []byte, e record.Answered) *extprocv3.ProcessingResponse {
	e.ID, e.Time = x.id, r.now()
	r.recorder.Record(&e)
	response := envoy.Answer(e.Status, body, e.Code)
	for _, h := range x.verdict.Headers {
		envoy.SetHeader(response, h.Name, h.Value)
	}
	return response
}

// fault answers a request that the server failed to serve; its cause is recorded
// elsewhere.
func (r *responder) fault(x *exchange, code string) *extprocv3.ProcessingResponse {
	return r.answer(x, faultBody(code), record.Answered{Status: 500, Code: code})
}

// failed answers a request that the server failed to serve because of err.
func (r *responder) failed(x *exchange, code, doing string, err error) *extprocv3.ProcessingResponse {
	return r.answer(x, faultBody(code), record.Answered{Status: 500, Code: code, Cause: record.ByFault, Doing: doing, Err: err})
}

func faultBody(code string) []byte {
	return wire.ErrorBody("The router could not handle this request.", "server_error", code)
}

// refuse answers a request that is at fault, or for which no rewrite could be made.
func (r *responder) refuse(x *exchange, err error) *extprocv3.ProcessingResponse {
	var bad *provider.RequestError
	if errors.As(err, &bad) {
		return r.answer(x, bad.JSON(), record.Answered{Status: bad.Status, Code: bad.Code, Cause: record.ByClient})
	}
	return r.failed(x, codeRewriteFailed, "rewrite", err)
}

// shedRetryAfter is the Retry-After of requests that are shed, in seconds: decisions
// take less.
const shedRetryAfter = 1

// shed answers a request whose body is over the budget; final keeps Envoy from making
// further attempts.
func (r *responder) shed(x *exchange, final bool) *extprocv3.ProcessingResponse {
	body := wire.ErrorBody("Server busy: there is no room for more request bodies. Try again.", "server_error", codeOverloaded)
	response := envoy.RetryAfter(shedRetryAfter, r.answer(x, body, record.Answered{Status: 503, Code: codeOverloaded, Cause: record.ByLoad}))
	if final {
		return envoy.Final(response)
	}
	return response
}
