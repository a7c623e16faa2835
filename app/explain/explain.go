// Package explain routes a prompt without sending it to a model, and explains the
// result.
package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"semlb/app/build"
	"semlb/config"
	"semlb/record"
	"semlb/router"
	"semlb/vectordb"
)

// Explanation is where a prompt would go, and why.
type Explanation struct {
	Instance *Instance `json:"instance"`
	// Guards are in the order in which they run.
	Guards    []Guard            `json:"guards"`
	Reason    router.Reason      `json:"reason"`
	Threshold *float64           `json:"threshold,omitempty"`
	Error     string             `json:"error,omitempty"`
	Warning   string             `json:"warning,omitempty"`
	Distances []record.Candidate `json:"distances"`
	Plan      []Attempt          `json:"plan"`
	// MovesOn is what lets the next attempt be made.
	MovesOn []string `json:"moves_on"`
}

// Attempt is one attempt of a plan.
type Attempt struct {
	Attempt     int    `json:"attempt"` // from 1
	Model       string `json:"model"`
	Weight      int    `json:"weight"`
	Description string `json:"description,omitempty"`
	Endpoint    string `json:"endpoint"`
}

// Question is the request that is explained.
type Question struct {
	// Scope is what the plugin instance is chosen by.
	Scope config.Request
	// RouteType is the shape of the request, such as llm/v1/chat; "" is that of the
	// instance's first target.
	RouteType string
	Prompt    string
}

// Prompt explains where a request goes. It embeds descriptions that are not loaded yet.
func Prompt(ctx context.Context, instances *build.Instances, q Question) (*Explanation, error) {
	plugin, instance, ok := instances.ForRequest(q.Scope)
	if !ok {
		return nil, noInstance(instances.Config, q.Scope)
	}
	routeType, err := q.routeType(instance.Server.RouteTypes)
	if err != nil {
		return nil, err
	}
	e := &Explanation{Instance: newInstance(plugin, instance), Guards: guardsOf(instances.Config, q.Scope), Distances: []record.Candidate{}, Plan: []Attempt{}, MovesOn: []string{}}
	var loadErr error
	if instance.HasDescriptions() {
		loadErr = instance.Load(ctx)
		var unsynced *vectordb.BackingError
		if errors.As(loadErr, &unsynced) {
			e.Warning, loadErr = loadErr.Error(), nil
		}
	}
	plan := instance.Router.Route(ctx, router.Request{Prompt: q.Prompt, Needs: router.Needs{RouteType: routeType}})
	// If the descriptions could not be loaded, that is the cause of the plan's error.
	if err := cmp.Or(loadErr, plan.Err); err != nil {
		e.Error = err.Error()
	}
	e.Distances = append(e.Distances, plan.Candidates...)
	e.Reason, e.Threshold = plan.Reason, plan.Threshold
	for n, id := range plan.Targets {
		t := instance.Server.Targets[id]
		endpoint := t.Endpoint()
		e.Plan = append(e.Plan, Attempt{
			Attempt: n + 1, Model: t.Name(), Weight: t.Weight, Description: t.Description,
			Endpoint: endpoint.Scheme + "://" + endpoint.Authority(),
		})
	}
	if len(e.Plan) > 1 {
		e.MovesOn = append(e.MovesOn, instance.Server.Policy.Describe()...)
	}
	return e, nil
}

// routeType is the one that is explained, of an instance with types.
func (q *Question) routeType(types []string) (string, error) {
	switch {
	case q.RouteType == "":
		return types[0], nil
	case !slices.Contains(types, q.RouteType):
		return "", fmt.Errorf("no target has the route_type %q; there are targets of %s", q.RouteType, strings.Join(types, ", "))
	default:
		return q.RouteType, nil
	}
}
