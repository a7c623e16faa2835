package server

import (
	"fmt"
	"slices"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"semlb/envoy"
)

// refusalEvery is how often an Envoy that is too old is logged: it reconnects several
// times a second.
const refusalEvery = time.Minute

// unknownVersion stands for the version of a node that reports none.
const unknownVersion = "unknown"

// admit tracks the version that an Envoy reports in its node, once for each stream. The
// error, for an Envoy that is too old, ends the stream, and that Envoy logs it. c.mu is
// held.
func (c *ControlPlane) admit(stream int64, r *discoveryv3.DiscoveryRequest) error {
	if _, known := c.envoys[stream]; known || r.GetNode() == nil {
		return nil
	}
	version, ok := versionOfNode(r.GetNode())
	if ok && version.Before(envoy.OldestVersion) {
		c.metrics.tooOld.Inc()
		sentence := fmt.Sprintf("Envoy %s is too old for semlb: %s or newer is needed", version, envoy.OldestVersion)
		if time.Since(c.refusedAt) > refusalEvery {
			c.refusedAt = time.Now()
			c.log.Error("refused an Envoy that is too old", "node", r.GetNode().GetId(), "version", version.String(), "oldest", envoy.OldestVersion.String())
		}
		return status.Error(codes.FailedPrecondition, sentence)
	}
	name := unknownVersion
	if ok {
		name = version.String()
	}
	c.envoys[stream] = name
	c.metrics.envoys.WithLabelValues(name).Inc()
	c.log.Info("envoy connected", "node", r.GetNode().GetId(), "version", name)
	return nil
}

// disconnected drops the Envoy of a stream; c.mu is held.
func (c *ControlPlane) disconnected(stream int64) {
	name, known := c.envoys[stream]
	if !known {
		return
	}
	delete(c.envoys, stream)
	c.metrics.envoys.WithLabelValues(name).Dec()
	for _, other := range c.envoys {
		if other == name {
			return
		}
	}
	c.metrics.envoys.DeleteLabelValues(name)
}

// Envoys are the versions of the Envoys that are connected, each once, sorted as
// text; "unknown" stands for those that report none.
func (c *ControlPlane) Envoys() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	versions := make([]string, 0, len(c.envoys))
	for _, name := range c.envoys {
		versions = append(versions, name)
	}
	slices.Sort(versions)
	return slices.Compact(versions)
}

// versionOfNode reads core.v3.Node's user_agent_build_version.
func versionOfNode(n *corev3.Node) (envoy.Version, bool) {
	v := n.GetUserAgentBuildVersion().GetVersion()
	if v == nil {
		return envoy.Version{}, false
	}
	return envoy.Version{Major: int(v.GetMajorNumber()), Minor: int(v.GetMinorNumber()), Patch: int(v.GetPatch())}, true
}
