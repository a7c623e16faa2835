package build

import (
	"fmt"
	"time"

	"semlb/config"
	"semlb/envoy"
	"semlb/provider"
	"semlb/router"
	"semlb/router/shared"
	"semlb/server"
	"semlb/vectordb/redis"
)

// The values of the configuration's fields that this program implements, in the types
// of the rooms that implement them.
var (
	algorithms = map[config.Algorithm]router.Algorithm{
		config.Semantic:   router.Semantic,
		config.RoundRobin: router.RoundRobin,
		config.Priority:   router.Priority,
	}
	groupOrders = map[config.GroupOrder]router.Algorithm{
		config.GroupByWeight: router.ByWeight,
		config.GroupWeighted: router.Weighted,
	}
	spills = map[config.Spill]router.Spill{
		config.SpillNone:     router.SpillNone,
		config.SpillCatchall: router.SpillCatchall,
		config.SpillNearest:  router.SpillNearest,
	}
	onPanics = map[config.OnPanic]server.OnPanic{
		config.OnPanicReject:  server.OnPanicReject,
		config.OnPanicDefault: server.OnPanicDefault,
	}
	streamings = map[config.ResponseStreaming]provider.Streaming{
		config.StreamingAllow:  provider.StreamingAllow,
		config.StreamingAlways: provider.StreamingAlways,
		config.StreamingDeny:   provider.StreamingDeny,
	}
)

// translate looks up a field's value; one without a row is an error.
func translate[From, To ~string](field string, value From, table map[From]To) (To, error) {
	to, ok := table[value]
	if !ok {
		return to, fmt.Errorf("config.%s: %q is not implemented", field, value)
	}
	return to, nil
}

// routerOptions are those of an instance's router, without its embedder and index.
func (b *Builder) routerOptions(p *config.Plugin, targets []router.Target) (router.Options, error) {
	balancer := &p.Settings.Balancer
	algorithm, err := translate("balancer.algorithm", balancer.Algorithm, algorithms)
	if err != nil {
		return router.Options{}, err
	}
	groupOrder, err := translate("balancer.group_order", balancer.GroupOrder, groupOrders)
	if err != nil {
		return router.Options{}, err
	}
	spill, err := translate("balancer.spill", balancer.Spill, spills)
	if err != nil {
		return router.Options{}, err
	}
	return router.Options{
		Algorithm:   algorithm,
		Targets:     targets,
		MaxAttempts: balancer.Retries + 1,
		Semantic: router.SemanticOptions{
			RejectNoMatch: balancer.NoMatch == config.NoMatchReject,
			GroupOrder:    groupOrder,
			Spill:         spill,
			Budget:        b.options.DecisionBudget,
		},
		Circuits: b.options.Circuits,
		Breaker:  breakerOf(balancer, b.options.MaxRetryAfter),
	}, nil
}

// breakerOf is the circuit breaker of an instance's targets.
func breakerOf(b *config.Balancer, maxRetryAfter time.Duration) router.Breaker {
	breaker := router.Breaker{
		MaxFails:      b.MaxFails,
		FailTimeout:   b.FailTimeout,
		ProbeTimeout:  b.ConnectTimeout + b.ReadTimeout,
		MaxRetryAfter: maxRetryAfter,
	}
	for _, c := range b.FailoverCriteria {
		if status, ok := envoy.CriterionStatus(string(c)); ok {
			breaker.Statuses = append(breaker.Statuses, status)
		}
	}
	return breaker
}

// addSharing lets replicas share the state of an instance's targets
// (balancer.shared_state), if they have a Redis to share it in.
func (b *Builder) addSharing(p *config.Plugin, i *Instance, options *router.Options) error {
	if !p.Settings.Balancer.SharedState || b.options.Circuits == nil {
		return nil
	}
	db := p.Settings.VectorDB
	if db == nil || db.Strategy != config.StrategyRedis || b.options.MemoryStore {
		b.options.Log.Warn("balancer.shared_state needs vectordb.strategy redis; each replica keeps its own state", "position", p.Position)
		return nil
	}
	connection, err := b.redisConnection(&db.Redis)
	if err != nil {
		return fmt.Errorf("config.vectordb.redis: %w", err)
	}
	connection.PoolSize = 3 // one waits for events, one writes
	client, err := redis.NewClient(connection)
	if err != nil {
		return fmt.Errorf("config.vectordb.redis: %w", err)
	}
	i.shared = shared.New(client, shared.Options{
		Key: "kong:semlb:v1:targets:" + digest(p.Scope), Replica: b.options.Replica, Log: b.options.Log, Dropped: b.options.CountDroppedEvent,
	})
	i.onClose(i.shared.Close)
	options.Share = i.shared.Publish
	return nil
}
