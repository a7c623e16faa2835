package app

import (
	"context"
	"errors"

	"semlb/app/child"
	"semlb/config"
	"semlb/envoy/parts"
)

// host is what the program takes from the machine it runs on: the configuration, the LLMs
// of a demonstration, the binary of Envoy and a directory for it.
type host struct {
	source *source
	// baseURL is where the targets of a demonstration are; nil for others.
	baseURL func(target int, t *config.Target) (string, error)
	// binary and dir are those of the child Envoy, if there is one.
	binary, dir string
}

// newHost opens the configuration, starts the LLMs of a demonstration, and prepares a
// child Envoy, whose sockets it sets in the options.
func newHost(ctx context.Context, o *Options, c *closers) (*host, error) {
	h := &host{}
	var err error
	if o.Envoy != nil {
		if h.binary, err = child.FindBinary(ctx, o.Envoy.Binary); err != nil {
			return nil, err
		}
	}
	if h.source, err = openSource(ctx, o); err != nil {
		return nil, err
	}
	c.add(h.source.close)
	if o.Demo {
		llms := newDemoLLMs()
		c.add(func() { llms.stop(o.Log) })
		h.baseURL = llms.baseURL
	}
	if o.Envoy == nil {
		return h, nil
	}
	dir, remove, err := child.MakeDir(ctx)
	if err != nil {
		return nil, err
	}
	c.add(remove)
	h.dir = dir
	return h, errors.Join(o.inDir(dir), checkFree("listen", o.Listen))
}

// childOptions are those of the child Envoy.
func childOptions(o *Options, h *host, c *core, w child.Watcher) child.Options {
	return child.Options{
		Binary: h.binary, Dir: h.dir, Concurrency: o.Envoy.Concurrency,
		NodeID: "semlb-run",
		Parts: parts.New(parts.Config{
			Service: parts.Endpoint{Path: o.GRPCSocket}, HopSocket: o.HopSocket, Resolvers: o.Envoy.Resolvers,
			Memory: o.memory().envoy,
		}),
		Drain: o.Drain, Grace: grace, Watcher: w, Log: o.Log, Redact: c.redactor.Redact,
	}
}
