package app

import (
	"context"
	"slices"
	"time"
)

// Serve serves an Envoy that someone else runs, until ctx ends. It calls serving when
// Envoys can connect.
func Serve(ctx context.Context, o *ServeOptions, serving func()) error {
	log := o.Log
	cfg, err := o.begin(log)
	if err != nil {
		return err
	}
	defer o.closeAdmin(log)
	s, err := startService(ctx, o, &builder{options: o.LoadOptions, log: log, baseURL: o.providerURL}, cfg)
	defer s.stop()
	if err != nil {
		return err
	}
	serving()
	s.untilDone()
	if failure := s.supervisor.failure(); failure != nil {
		return failure
	}
	log.Info("not ready any more", "stopping_in", o.Drain)
	time.Sleep(o.Drain)
	log.Info("stopping")
	return nil
}

// GRPCAddresses are where Envoys connect.
func (o *ServeOptions) GRPCAddresses() []string {
	return slices.DeleteFunc([]string{o.GRPCSocket, o.GRPCListen}, func(a string) bool { return a == "" })
}

// untilDone keeps the service's readiness true to the facts until it is to end.
func (s *service) untilDone() {
	stop := s.supervisor.start(s.stayReady)
	<-s.supervisor.ctx.Done()
	stop()
	s.setReady(false)
}

// stayReady watches until ctx ends. The service is ready when its descriptions were
// tried, as long as requests can be served.
func (s *service) stayReady(ctx context.Context) error {
	select {
	case <-s.live.loading():
	case <-ctx.Done():
		return nil
	}
	for {
		if able := s.able(); able != s.isReady() {
			switch told := s.setReady(able); {
			case told:
				s.log.Info("ready")
			case !able: // else the child is down, which was said
				s.log.Error("not ready: Envoy refused the configuration and has none before it")
			}
		}
		if !sleep(ctx, readyEvery) {
			return nil
		}
	}
}

// able says whether requests can be served. It does not wait for a first Envoy,
// which may look at the readiness before it connects, or have its whole
// configuration from a file.
func (s *service) able() bool {
	switch was := s.isReady(); {
	case !s.control.Connected():
		return was || !s.needsEnvoy
	case s.control.InForce():
		return true
	case s.control.Refusal() == nil: // an answer is outstanding
		return was
	default:
		// An Envoy that has an earlier configuration goes on by it, with this process
		// behind it. One that starts with a refused configuration is not to replace it.
		return was && s.control.Serving()
	}
}

// readyEvery is how often readiness is looked at.
const readyEvery = 100 * time.Millisecond
