package server

import (
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

// answers is what Envoys said of the configurations they were sent. Versions are by
// type of resource.
type answers struct {
	streams map[int64]*subscriber
	// refusals are the last ones, and the versions they are of.
	refusals map[resource.Type]refusal
}

// subscriber is the Envoy of a stream.
type subscriber struct {
	// sent is the last response of each type.
	sent map[resource.Type]*discoveryv3.DiscoveryResponse
	// taken are the versions that the Envoy has, from this stream or one before it.
	taken map[resource.Type]string
}

// refusal is that of one version of a type.
type refusal struct {
	version string
	err     error
}

func newAnswers() answers {
	return answers{streams: make(map[int64]*subscriber), refusals: make(map[resource.Type]refusal)}
}

// sent notes a response. Of its resources nothing is kept.
func (a answers) sent(stream int64, r *discoveryv3.DiscoveryResponse) {
	if s := a.streams[stream]; s != nil {
		s.sent[r.GetTypeUrl()] = &discoveryv3.DiscoveryResponse{VersionInfo: r.GetVersionInfo(), Nonce: r.GetNonce()}
	}
}

// taken notes which version an Envoy has. It says so with every request: with its
// first one if it has a configuration of a stream before, and with a refusal.
func (a answers) taken(stream int64, r *discoveryv3.DiscoveryRequest) {
	s := a.streams[stream]
	if s == nil {
		s = &subscriber{sent: make(map[resource.Type]*discoveryv3.DiscoveryResponse), taken: make(map[resource.Type]string)}
		a.streams[stream] = s
	}
	if r.GetVersionInfo() != "" {
		s.taken[r.GetTypeUrl()] = r.GetVersionInfo()
	}
}

// refused notes a refusal and returns the version it is of. It reports false where
// the Envoy has been sent another one since.
func (a answers) refused(stream int64, r *discoveryv3.DiscoveryRequest, detail string) (version string, ok bool) {
	sent := a.streams[stream].sent[r.GetTypeUrl()]
	if sent == nil || sent.GetNonce() != r.GetResponseNonce() {
		return "", false
	}
	a.refusals[r.GetTypeUrl()] = refusal{sent.GetVersionInfo(), &RefusedError{Detail: detail}}
	return sent.GetVersionInfo(), true
}

// forgive forgets refusals, once every Envoy has taken what is in force.
func (a answers) forgive() { clear(a.refusals) }

// left forgets the Envoy of a stream.
func (a answers) left(stream int64) { delete(a.streams, stream) }

// refusal returns that of any of the versions, or nil.
func (a answers) refusal(versions map[resource.Type]string) error {
	for t, version := range versions {
		if r := a.refusals[t]; r.err != nil && r.version == version {
			return r.err
		}
	}
	return nil
}

// agree says whether there are Envoys and all of them have the versions.
func (a answers) agree(versions map[resource.Type]string) bool {
	for _, s := range a.streams {
		for t, version := range versions {
			if s.taken[t] != version {
				return false
			}
		}
	}
	return len(a.streams) > 0
}

// serving says whether any Envoy has some version of every type.
func (a answers) serving(versions map[resource.Type]string) bool {
	for _, s := range a.streams {
		whole := true
		for t := range versions {
			whole = whole && s.taken[t] != ""
		}
		if whole {
			return true
		}
	}
	return false
}
