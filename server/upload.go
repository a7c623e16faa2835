package server

import (
	"sync"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
)

// uploader handles the streams of the role upload, for requests whose body may be large.
// Envoy keeps little of such a body until this role has admitted the request by its head,
// and then passes the body on while it arrives. It keeps the stream for as long as it keeps
// the request, so the ledger has each body until nobody holds it any more.
type uploader struct {
	admitter
	uploads *uploads
	// stopping is closed when the server stops: requests in flight then no longer count.
	stopping <-chan struct{}
}

var (
	// admitResponse lets Envoy take the body.
	admitResponse = envoy.Admit()
	// trailersResponse lets Envoy pass on the trailers, which end a body as its last part does.
	trailersResponse = envoy.ContinueTrailers()
)

func (u *uploader) handle(s stream) error {
	x, err := receiveHeaders(s)
	if err != nil {
		return ended(err)
	}
	refusal, err := u.admitted(s.Context(), x)
	switch {
	case err != nil:
		return err
	case refusal != nil:
		return s.Send(refusal)
	}
	if x.bodiless {
		return s.Send(admitResponse)
	}
	out := &replies{stream: s}
	one := u.uploads.begin(uploadSize(x), func() { u.displace(s, x, out) })
	if one == nil {
		return s.Send(u.shed(x, false))
	}
	defer one.finish()
	if err := u.passOn(s, x, out, one.grow); err != nil {
		return ended(err)
	}
	one.complete()
	u.awaitEnd(s)
	return nil
}

// displace ends an upload that makes room for another. If that panics, the request goes on.
func (r *responder) displace(s stream, x *exchange, out *replies) {
	p := contain(func() {
		_ = out.last(func() *extprocv3.ProcessingResponse { return r.shed(x, false) }) // who receives gets the error of a broken stream
	})
	if p != nil {
		r.panics.record(s.Context(), x.id, p)
	}
}

// passOn lets Envoy pass on the parts of a body as they arrive. One that turns out to be
// longer than permitted is refused.
func (u *uploader) passOn(s stream, x *exchange, out *replies, grow func(part int) int64) error {
	if err := out.send(admitResponse); err != nil {
		return err
	}
	for {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		if m.GetRequestTrailers() != nil {
			return out.send(trailersResponse)
		}
		part := m.GetRequestBody()
		if part == nil {
			return unexpected(m, "request_body")
		}
		if err := checkLength(x, grow(len(part.GetBody()))); err != nil {
			return out.last(func() *extprocv3.ProcessingResponse { return u.refuse(x, err) })
		}
		if err := out.send(envoy.ContinueBody()); err != nil || part.GetEndOfStream() {
			return err
		}
	}
}

// awaitEnd waits until Envoy closes the stream, with the end of its request.
func (u *uploader) awaitEnd(s stream) {
	closed := make(chan struct{})
	go func() { // ends with the stream, which ends when handle returns
		defer close(closed)
		_, _ = s.Recv() // there is nothing to come but its end
	}()
	select {
	case <-closed:
	case <-u.stopping:
	}
}

// replies sends on a stream from more than one goroutine.
type replies struct {
	stream stream

	mu   sync.Mutex
	over bool
}

func (r *replies) send(m *extprocv3.ProcessingResponse) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return nil
	}
	return r.stream.Send(m)
}

// last sends what ends the request. Nothing is sent after it, and no other answer is made,
// because each is recorded.
func (r *replies) last(answer func() *extprocv3.ProcessingResponse) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return nil
	}
	m := answer()
	r.over = true
	return r.stream.Send(m)
}
