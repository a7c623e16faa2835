// Package hop shows that requests get through the hop between Envoy's two listeners
// whatever happens to its connections: idle ones that end, listeners that are
// replaced, clients that read slowly, many worker threads.
package hop
