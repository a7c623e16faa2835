package server

import (
	"strconv"
	"strings"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/access"
	"semlb/envoy"
	"semlb/provider"
)

// refuseByHead answers a request whose body would be refused, before Envoy takes it: no
// plugin instance applies, or the body is announced as one that is not read.
func (p *planner) refuseByHead(x *exchange) *extprocv3.ProcessingResponse {
	instance := x.snapshot.Find(x.match)
	if instance == nil {
		return p.noInstance(x, x.snapshot, x.match)
	}
	if x.bodiless {
		return nil
	}
	x.longest = instance.BodyLimit
	if err := checkAnnounced(x); err != nil {
		return p.refuse(x, x.misdirected(err, x.snapshot, instance))
	}
	return nil
}

// checkAnnounced refuses a body by its content type, its encoding and its length, as far as
// the head has them.
func checkAnnounced(x *exchange) error {
	if err := provider.CheckContentType(x.header("content-type")); err != nil {
		return err
	}
	if encoding := x.header("content-encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return &provider.RequestError{Status: 415, Code: codeEncoding, Message: "request bodies must not be compressed"}
	}
	length, _ := announced(x)
	return checkLength(x, length)
}

// checkLength refuses a body that is too long.
func checkLength(x *exchange, length int64) error {
	if limit := x.verdict.BodyLimit; limit != nil && length > *limit {
		return &provider.RequestError{Status: 413, Code: access.CodeTooLarge, Message: access.TooLarge}
	}
	if length > x.longest {
		return &provider.RequestError{
			Status: 413, Code: access.CodeTooLarge,
			Message: "the request body is longer than " + strconv.FormatInt(x.longest, 10) + " bytes",
		}
	}
	return nil
}

// announced is the length of the body that the head announces, if it does. That of an
// admitted request may be Envoy's own: its filter that reads a body to its end adds one, which
// is twice the body's where trailers follow.
func announced(x *exchange) (length int64, known bool) {
	if x.header(envoy.HeaderAdmitted) != "" {
		return 0, false
	}
	length, err := strconv.ParseInt(x.header("content-length"), 10, 64)
	return length, err == nil
}

// uploadSize is what the body may take while it is on its way: its length, or else the
// longest that is accepted.
func uploadSize(x *exchange) int64 {
	if length, known := announced(x); known {
		return length
	}
	return x.longest
}
