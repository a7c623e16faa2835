package redis

import (
	"context"
	"math"
	"slices"
	"strconv"

	goredis "github.com/redis/go-redis/v9"

	"semlb/vectordb"
)

const (
	// searchSpare is how many matches more than wanted are requested, so that ties and
	// bad entries seldom need a second search.
	searchSpare = 8
	// searchMost is the greatest number of matches that the search module returns.
	searchMost = 1_000_000
	// distanceField is the name of the distance in a query.
	distanceField = "distance"
)

// nearest returns the first k matches. It requests more and more of them until those
// are certain: the server breaks ties in its own way, and bad entries that something
// else has written take the places of good ones, so the server's first k alone may be
// others.
func (c *collection) nearest(ctx context.Context, vector []float32, k int) ([]vectordb.Match, error) {
	for most := min(k, searchMost-searchSpare) + searchSpare; ; most = min(8*most, searchMost) {
		answer, err := c.search(ctx, vector, most)
		if err != nil {
			return nil, err
		}
		matches := c.matches(answer)
		last := len(matches) - 1
		settled := last >= k && matches[k-1].Distance < matches[last].Distance
		if settled || len(answer.Docs) < most || most == searchMost {
			return matches[:min(k, len(matches))], nil
		}
	}
}

func (c *collection) search(ctx context.Context, vector []float32, most int) (goredis.FTSearchResult, error) {
	answer, err := c.client.FTSearchWithArgs(ctx, c.layout.index,
		"*=>[KNN $most @"+vectorField+" $vector AS "+distanceField+"]",
		&goredis.FTSearchOptions{
			Params:         map[string]any{"most": most, "vector": encode(vector)},
			Return:         []goredis.FTSearchReturn{{FieldName: distanceField}},
			SortBy:         []goredis.FTSearchSortBy{{FieldName: distanceField, Asc: true}},
			Limit:          most,
			DialectVersion: 2,
		}).Result()
	if err == nil && len(answer.Warnings) > 0 {
		return answer, errPartial
	}
	return answer, err
}

// matches returns the good entries of an answer, in order. The distance of a bad one
// is not a number.
func (c *collection) matches(answer goredis.FTSearchResult) []vectordb.Match {
	matches := make([]vectordb.Match, 0, len(answer.Docs))
	for _, doc := range answer.Docs {
		d, err := strconv.ParseFloat(doc.Fields[distanceField], 64)
		if err != nil || math.IsNaN(d) || math.IsInf(d, 0) {
			continue
		}
		matches = append(matches, vectordb.Match{ID: c.layout.id(doc.ID), Distance: c.layout.distance(d)})
	}
	slices.SortFunc(matches, vectordb.CompareMatches)
	return matches
}
