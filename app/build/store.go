package build

import (
	"fmt"
	"net"
	"strconv"

	"semlb/config"
	"semlb/vectordb"
	"semlb/vectordb/redis"
)

// openStore opens the store of an instance for the vectors of a collection.
type openStore func(b *Builder, p *config.Plugin, c vectordb.Collection) (vectordb.Store, error)

// stores are the values of vectordb.strategy. To add a store, add its line.
var stores = map[config.Strategy]openStore{
	config.StrategyRedis: (*Builder).redisStore,
}

// store opens the store of an instance's descriptions.
func (b *Builder) store(p *config.Plugin, model string, width int) (vectordb.Store, error) {
	db := p.Settings.VectorDB
	metric := vectordb.Metric(db.DistanceMetric)
	if b.options.MemoryStore {
		return vectordb.NewMemory(width, metric)
	}
	open, ok := stores[db.Strategy]
	if !ok {
		return nil, fmt.Errorf("config.vectordb.strategy: %q is not supported", db.Strategy)
	}
	namespace, inStore := digest(p.Scope), db.Search == config.SearchStore
	if inStore {
		// A search in the store covers its whole namespace, so a changed set of
		// descriptions needs another one.
		namespace += "-" + digest(descriptions(p))
	}
	store, err := open(b, p, vectordb.Collection{
		Namespace: namespace,
		Model:     model,
		Space:     vectordb.Space{Dimensions: width, Metric: metric},
	})
	if err != nil {
		return nil, fmt.Errorf("config.vectordb.%s: %w", db.Strategy, err)
	}
	if inStore {
		return store, nil
	}
	return vectordb.NewSynced(width, metric, store)
}

func descriptions(p *config.Plugin) []string {
	var all []string
	for i := range p.Settings.Targets {
		all = append(all, p.Settings.Targets[i].Description)
	}
	return all
}

func (b *Builder) redisStore(p *config.Plugin, c vectordb.Collection) (vectordb.Store, error) {
	connection, err := b.redisConnection(&p.Settings.VectorDB.Redis)
	if err != nil {
		return nil, err
	}
	return redis.New(redis.Options{
		Connection: connection,
		Collection: c,
		InProcess:  p.Settings.VectorDB.Search != config.SearchStore,
		Logger:     b.options.Log,
	})
}

func (b *Builder) redisConnection(r *config.Redis) (redis.Connection, error) {
	roots, err := b.roots(r.SSL && r.SSLVerify)
	if err != nil {
		return redis.Connection{}, err
	}
	username := r.Username
	if r.Password.IsZero() {
		username = "" // as the plugin does; validation has warned
	}
	return redis.Connection{
		Addr:           net.JoinHostPort(r.Host, strconv.Itoa(r.Port)),
		Username:       username,
		Password:       r.Password,
		Database:       r.Database,
		SSL:            r.SSL,
		SSLSkipVerify:  !r.SSLVerify,
		ServerName:     r.ServerName,
		RootCAs:        roots,
		ConnectTimeout: r.ConnectTimeout,
		SendTimeout:    r.SendTimeout,
		ReadTimeout:    r.ReadTimeout,
		PoolSize:       r.KeepalivePoolSize,
	}, nil
}
