package app

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/config"
	"semlb/record"
	"semlb/router"
	"semlb/router/shared"
	"semlb/server"
	"semlb/vectordb/redis"
)

// breakerOf is what the outcomes of a plugin's attempts mean.
func breakerOf(b *config.Balancer, maxRetryAfter time.Duration) router.Breaker {
	breaker := router.Breaker{
		MaxFails:      b.MaxFails,
		FailTimeout:   b.FailTimeout,
		ProbeTimeout:  b.ConnectTimeout + b.ReadTimeout,
		MaxRetryAfter: maxRetryAfter,
	}
	for _, c := range b.FailoverCriteria {
		if code, ok := strings.CutPrefix(string(c), "http_"); ok {
			if status, err := strconv.Atoi(code); err == nil {
				breaker.Statuses = append(breaker.Statuses, status)
			}
		}
	}
	return breaker
}

// share lets a plugin's replicas share what they learn of its targets
// (balancer.shared_state). Where that cannot be, each goes by its own.
func (b *builder) share(p *config.Plugin, parts *pluginParts, options *router.Options) error {
	if !p.Settings.Balancer.SharedState || b.circuits == nil {
		return nil
	}
	db := p.Settings.VectorDB
	if db == nil || db.Strategy != config.StrategyRedis || b.options.VectorDB == "memory" {
		b.log.Warn("balancer.shared_state needs vectordb.strategy redis; each replica goes by its own", "position", p.Position)
		return nil
	}
	where := redisConnection(&db.Redis)
	where.PoolSize = 3 // one waits for events, one writes
	client, err := redis.NewClient(where)
	if err != nil {
		return fmt.Errorf("config.vectordb.redis: %w", err)
	}
	parts.shared = shared.New(client, shared.Options{
		Key: "kong:semlb:v1:targets:" + digest(p.Scope), Replica: b.replica, Log: b.log, Dropped: b.unshared,
	})
	parts.close = append(parts.close, parts.shared.Close)
	options.Share = parts.shared.Publish
	return nil
}

// unsharedCounter registers the count of events that did not get to other replicas.
func unsharedCounter(r prometheus.Registerer) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "semlb_shared_events_dropped_total", Help: "Events of targets that other replicas were not told of, because Redis was away or too slow.",
	})
	r.MustRegister(c)
	return c
}

// follow makes an assembly's routers go by what other replicas learn, and unfollow
// ends that. Targets keep their state across a reload, so only one configuration at a
// time may do it: events would count twice, or by rules that are not in force.
func (a *assembly) follow() {
	for _, p := range a.plugins {
		if p.shared != nil {
			p.shared.Follow(p.router.Apply)
		}
	}
}

func (a *assembly) unfollow() {
	for _, p := range a.plugins {
		if p.shared != nil {
			p.shared.Unfollow()
		}
	}
}

// health is where a service keeps what it learns of targets. Targets that go out or
// come back are logged and counted.
func (s *service) circuits(r prometheus.Registerer) *router.Circuits {
	changes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "semlb_breaker_changes_total", Help: "Targets that went out because they failed, and came back.",
	}, []string{"to"})
	out, back := changes.WithLabelValues("out"), changes.WithLabelValues("back")
	circuits := router.NewCircuits(time.Now, func(c router.Transition) {
		model := ""
		if t := s.live.snapshot.Load().Targets()[c.Target]; t != nil {
			model = t.Name()
		}
		if c.Open {
			out.Inc()
			s.log.Warn("target is out: it failed too often", "target", c.Target, "model", model, "for", c.For)
			return
		}
		back.Inc()
		s.log.Info("target is back", "target", c.Target, "model", model)
	})
	r.MustRegister(changes, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "semlb_targets_out", Help: "Targets that are out because they failed, or are being probed.",
	}, func() float64 { return float64(len(circuits.Open())) }), newTargetsOut(circuits, func() *server.Snapshot { return s.live.snapshot.Load() }))
	return circuits
}

// forget lets go of what is known of targets that requests cannot come to any more.
func (l *live) forget() {
	targets := l.snapshot.Load().Targets()
	l.counters.SetTargets(recordTargets(targets))
	if l.builder.circuits != nil {
		l.builder.circuits.Keep(slices.Collect(maps.Keys(targets))...)
	}
}

// recordTargets are targets as the recorder's sinks name them.
func recordTargets(targets map[string]*server.Target) []record.Target {
	all := make([]record.Target, 0, len(targets))
	for _, t := range targets {
		all = append(all, t.Recorded())
	}
	return all
}
