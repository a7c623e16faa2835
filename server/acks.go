package server

import (
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

// ackTracker tracks which configurations Envoys have acknowledged (ACK) and rejected
// (NACK). Versions are by type of resource.
type ackTracker struct {
	streams map[int64]*subscriber
	// nacks are the last rejections, with the versions that they are of.
	nacks map[resource.Type]nack
}

// subscriber is the Envoy of a stream.
type subscriber struct {
	// sent is the last response of each type.
	sent map[resource.Type]*discoveryv3.DiscoveryResponse
	// acked are the versions that the Envoy has, from this stream or an earlier one.
	acked map[resource.Type]string
}

// nack is the rejection of one version of a type.
type nack struct {
	version string
	err     error
}

func newAckTracker() ackTracker {
	return ackTracker{streams: make(map[int64]*subscriber), nacks: make(map[resource.Type]nack)}
}

// sent tracks a response. None of its resources is kept.
func (a ackTracker) sent(stream int64, r *discoveryv3.DiscoveryResponse) {
	if s := a.streams[stream]; s != nil {
		s.sent[r.GetTypeUrl()] = &discoveryv3.DiscoveryResponse{VersionInfo: r.GetVersionInfo(), Nonce: r.GetNonce()}
	}
}

// ack tracks which version an Envoy has. Every request contains it: the first one of a
// stream, if the Envoy has a configuration of an earlier stream, and a NACK too.
func (a ackTracker) ack(stream int64, r *discoveryv3.DiscoveryRequest) {
	s := a.streams[stream]
	if s == nil {
		s = &subscriber{sent: make(map[resource.Type]*discoveryv3.DiscoveryResponse), acked: make(map[resource.Type]string)}
		a.streams[stream] = s
	}
	if r.GetVersionInfo() != "" {
		s.acked[r.GetTypeUrl()] = r.GetVersionInfo()
	}
}

// nack tracks a rejection and returns the version that it is of. ok is false if the
// Envoy has been sent another version since.
func (a ackTracker) nack(stream int64, r *discoveryv3.DiscoveryRequest, detail string) (version string, ok bool) {
	sent := a.streams[stream].sent[r.GetTypeUrl()]
	if sent == nil || sent.GetNonce() != r.GetResponseNonce() {
		return "", false
	}
	a.nacks[r.GetTypeUrl()] = nack{sent.GetVersionInfo(), &RefusedError{Detail: detail}}
	return sent.GetVersionInfo(), true
}

// clearNacks drops rejections, once every Envoy has acknowledged what is in force.
func (a ackTracker) clearNacks() { clear(a.nacks) }

// removeStream drops the Envoy of a stream.
func (a ackTracker) removeStream(stream int64) { delete(a.streams, stream) }

// rejection is the NACK of any of the versions, or nil.
func (a ackTracker) rejection(versions map[resource.Type]string) error {
	for t, version := range versions {
		if n := a.nacks[t]; n.err != nil && n.version == version {
			return n.err
		}
	}
	return nil
}

// allAcked reports whether there are Envoys and all of them have the versions.
func (a ackTracker) allAcked(versions map[resource.Type]string) bool {
	for _, s := range a.streams {
		for t, version := range versions {
			if s.acked[t] != version {
				return false
			}
		}
	}
	return len(a.streams) > 0
}

// anyServing reports whether any Envoy has some version of every type.
func (a ackTracker) anyServing(versions map[resource.Type]string) bool {
	for _, s := range a.streams {
		whole := true
		for t := range versions {
			whole = whole && s.acked[t] != ""
		}
		if whole {
			return true
		}
	}
	return false
}
