package redis

import (
	"context"
	"slices"

	"semlb/vectordb"
)

// serverCheck is the result of a check of the server.
type serverCheck struct {
	// dials is the number of connections made by then. The check is out of date with
	// the next one.
	dials uint64
	// search says that the server has the index.
	search bool
	// restored is the number of records that were put back.
	restored int
}

// check returns the last check of the server, or makes a new one if a connection was
// made since.
func (s *Store) check(ctx context.Context) (*serverCheck, error) {
	if c := s.validCheck(); c != nil {
		return c, nil
	}
	unlock, err := s.lockCheck(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if c := s.validCheck(); c != nil {
		return c, nil // made by the previous holder of the lock
	}
	return s.checkAgain(ctx)
}

// lockCheck waits for the lock for checks.
func (s *Store) lockCheck(ctx context.Context) (unlock func(), err error) {
	select {
	case s.checking <- struct{}{}:
		return func() { <-s.checking }, nil
	case <-ctx.Done():
		return nil, s.collection.connection.failure("wait for another check", ctx.Err())
	}
}

// checkAgain makes a check and remembers it. The caller holds the lock; until it is
// done, searches go by the last check.
func (s *Store) checkAgain(ctx context.Context) (*serverCheck, error) {
	c, err := s.checkServer(ctx)
	if err != nil {
		s.checked.Store(nil)
		return nil, err
	}
	s.checked.Store(c)
	return c, nil
}

// validCheck returns the last check of the server, or nil if it is out of date.
func (s *Store) validCheck() *serverCheck {
	if c := s.checked.Load(); c != nil && c.dials == s.dials.Load() {
		return c
	}
	return nil
}

// invalidate makes the next call check again, unless there is a check newer than c.
func (s *Store) invalidate(c *serverCheck) { s.checked.CompareAndSwap(c, nil) }

// checkServer creates the index unless it is there, and puts back records that are not.
// The connections are counted after the first answer: it came over one of them, and a
// later one may lead to another server.
func (s *Store) checkServer(ctx context.Context) (*serverCheck, error) {
	indexed, search, err := s.findIndex(ctx)
	if err != nil {
		return nil, err
	}
	c := &serverCheck{dials: s.dials.Load(), search: search}
	if search && !indexed {
		if err := s.collection.createIndex(ctx); err != nil {
			return nil, err
		}
	}
	if c.restored, err = s.putBack(ctx); err != nil {
		return nil, err
	}
	if search {
		if err := s.collection.awaitIndex(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// findIndex reports whether the server has search and, if so, the index. With
// InProcess it only makes sure that the server answers.
func (s *Store) findIndex(ctx context.Context) (indexed, search bool, err error) {
	if s.inProcess {
		_, err := s.collection.readBatch(ctx, []string{""})
		return false, false, err
	}
	indexed, err = s.collection.indexExists(ctx)
	if isUnknownCommand(err) {
		if !s.searchless.Swap(true) {
			s.collection.log.WarnContext(ctx, "redis has no search module: vectors are compared in this process",
				"addr", s.collection.connection.Addr)
		}
		return false, false, nil
	}
	if err != nil {
		return false, false, s.collection.connection.failure("list indexes", err)
	}
	s.searchless.Store(false)
	return indexed, true, nil
}

// putBack writes the records that this process knows and the server lacks, and returns
// their number.
func (s *Store) putBack(ctx context.Context) (int, error) {
	known := s.known.Records()
	ids := make([]string, len(known))
	for i, r := range known {
		ids[i] = r.ID
	}
	kept, err := s.collection.read(ctx, ids)
	if err != nil {
		return 0, err
	}
	lost := slices.DeleteFunc(known, func(r vectordb.Record) bool {
		_, ok := kept[r.ID]
		return ok
	})
	if len(lost) == 0 {
		return 0, nil
	}
	if err := s.collection.write(ctx, lost); err != nil {
		return 0, err
	}
	s.collection.log.InfoContext(ctx, "restored vectors in redis",
		"vectors", len(lost), "index", s.collection.layout.index)
	return len(lost), nil
}
