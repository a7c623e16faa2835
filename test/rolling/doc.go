// Package rolling shows that replicas of semlb behind one Envoy can be restarted
// while requests come in.
package rolling
