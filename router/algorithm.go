package router

import "fmt"

// Algorithm is a value of the plugin's balancer.algorithm, or of balancer.group_order.
type Algorithm string

// The values of balancer.algorithm.
const (
	Semantic   Algorithm = "semantic"
	RoundRobin Algorithm = "round-robin"
	Priority   Algorithm = "priority"
)

// The values of balancer.group_order: how Semantic orders the targets of a group.
const (
	// ByWeight tries the heaviest target first.
	ByWeight Algorithm = "weight"
	// Weighted starts with a target by its share of the weights, and continues by weight.
	Weighted Algorithm = "weighted"
)

// algorithm orders targets. An implementation is safe for concurrent use.
type algorithm interface {
	// order appends up to n target IDs to dst, first to try first and each once. It
	// appends fewer only if there are fewer. n is at least 1, and no larger than the
	// request needs: most plans need MaxAttempts, whatever the number of targets.
	order(dst []string, q Request, n int) []string
	// learn processes an outcome of one of the targets, for algorithms that balance by
	// latency or usage. It must not block.
	learn(o Outcome)
}

// balance is what an algorithm is made from. What an algorithm needs beyond the targets
// is another field, so that the other constructors stay as they are.
type balance struct {
	targets []Target // at least one, in configuration order
}

// algorithms makes the algorithms that order a list of targets by name. Semantic is
// not among them: it chooses a group, and one of these orders the group.
var algorithms = map[Algorithm]func(balance) algorithm{
	RoundRobin: newRoundRobin,
	Priority:   newPriority,
	ByWeight:   newByWeight,
	Weighted:   newWeighted,
}

func newAlgorithm(name Algorithm, b balance) (algorithm, error) {
	build, known := algorithms[name]
	if !known {
		return nil, fmt.Errorf("make router: unknown algorithm %q", name)
	}
	return build(b), nil
}

// static is embedded by algorithms that ignore outcomes.
type static struct{}

func (static) learn(Outcome) {}

// chain is the order of one algorithm, and then that of the next.
type chain []algorithm

func (c chain) order(dst []string, q Request, n int) []string {
	start := len(dst)
	for _, a := range c {
		if taken := len(dst) - start; taken < n {
			dst = a.order(dst, q, n-taken)
		}
	}
	return dst
}

func (c chain) learn(o Outcome) {
	for _, a := range c {
		a.learn(o)
	}
}
