package vectordb

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"
)

const (
	// searchSpare is how many matches more than wanted are asked for, so that ties
	// and bad entries seldom need a second question.
	searchSpare = 8
	// searchMost is the greatest number that the search module returns.
	searchMost = 1_000_000
	// distanceField is what a query calls the distance.
	distanceField = "distance"
)

// errPartial is the answer of a server that has stopped a search half-way.
var errPartial = errors.New("server returned a part of the answer")

// Search is described at [Store].
func (s *Redis) Search(ctx context.Context, vector []float32, k int) ([]Match, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := s.space.length(vector); err != nil || k < 1 {
		return nil, err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	matches, sound, err := s.searchOnce(ctx, vector, k)
	if !sound && ctx.Err() == nil {
		matches, _, err = s.searchOnce(ctx, vector, k)
	}
	return matches, err
}

// searchOnce reports in sound whether the answer comes from a server that is known
// to have all the records. A new connection, or an index that is gone, says that it
// may not be so.
func (s *Redis) searchOnce(ctx context.Context, vector []float32, k int) (matches []Match, sound bool, err error) {
	c, err := s.ready(ctx)
	if err != nil {
		return nil, true, err
	}
	if !c.search {
		matches, err = s.known.Search(ctx, vector, k)
		return matches, true, err
	}
	matches, err = s.nearest(ctx, vector, k)
	if isIndexLost(err) {
		s.doubt(c)
		return nil, false, s.failure("search", err)
	}
	if err != nil {
		return nil, true, s.failure("search", err)
	}
	return matches, s.valid() != nil, nil
}

// nearest asks for more and more matches until those it has are surely the first k.
// The server breaks ties in its own way, and bad entries that something else has
// written take the places of good ones; so its first k alone may be others.
func (s *Redis) nearest(ctx context.Context, vector []float32, k int) ([]Match, error) {
	for most := min(k, searchMost-searchSpare) + searchSpare; ; most = min(8*most, searchMost) {
		answer, err := s.ask(ctx, vector, most)
		if err != nil {
			return nil, err
		}
		matches := s.matches(answer)
		last := len(matches) - 1
		settled := last >= k && matches[k-1].Distance < matches[last].Distance
		if settled || len(answer.Docs) < most || most == searchMost {
			return matches[:min(k, len(matches))], nil
		}
	}
}

// ask has the server find the nearest entries.
func (s *Redis) ask(ctx context.Context, vector []float32, most int) (redis.FTSearchResult, error) {
	answer, err := s.client.FTSearchWithArgs(ctx, s.names.index,
		"*=>[KNN $most @"+vectorField+" $vector AS "+distanceField+"]",
		&redis.FTSearchOptions{
			Params:         map[string]any{"most": most, "vector": encode(vector)},
			Return:         []redis.FTSearchReturn{{FieldName: distanceField}},
			SortBy:         []redis.FTSearchSortBy{{FieldName: distanceField, Asc: true}},
			Limit:          most,
			DialectVersion: 2,
		}).Result()
	if err == nil && len(answer.Warnings) > 0 {
		return answer, errPartial
	}
	return answer, err
}

// matches returns the good entries of an answer, in order. The distance of a bad
// one is no number.
func (s *Redis) matches(answer redis.FTSearchResult) []Match {
	matches := make([]Match, 0, len(answer.Docs))
	for _, doc := range answer.Docs {
		d, err := strconv.ParseFloat(doc.Fields[distanceField], 64)
		if err != nil || math.IsNaN(d) || math.IsInf(d, 0) {
			continue
		}
		matches = append(matches, Match{ID: s.names.idOf(doc.ID), Distance: s.fromRedis(d)})
	}
	slices.SortFunc(matches, compareMatches)
	return matches
}

// fromRedis turns the server's distance, 1 − cos or the square of L2, into the
// store's. Rounding can take it a little outside of its range.
func (s *Redis) fromRedis(d float64) float64 {
	if s.space.metric == Euclidean {
		return min(math.Sqrt(max(d, 0))/2, 1)
	}
	return min(max(d, 0), 2)
}
