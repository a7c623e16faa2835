// Package explain routes a prompt without sending it to a model, and explains the
// result.
package explain

import (
	"cmp"
	"context"
	"errors"

	"semlb/app/build"
	"semlb/config"
	"semlb/record"
	"semlb/router"
	"semlb/vectordb"
)

// Explanation is where a prompt would go, and why.
type Explanation struct {
	Instance  *Instance          `json:"instance"`
	Reason    router.Reason      `json:"reason"`
	Threshold *float64           `json:"threshold,omitempty"`
	Error     string             `json:"error,omitempty"`
	Warning   string             `json:"warning,omitempty"`
	Distances []record.Candidate `json:"distances"`
	Plan      []Attempt          `json:"plan"`
}

// Attempt is one attempt of a plan.
type Attempt struct {
	Attempt     int    `json:"attempt"` // from 1
	Model       string `json:"model"`
	Weight      int    `json:"weight"`
	Description string `json:"description,omitempty"`
	Endpoint    string `json:"endpoint"`
}

// Prompt explains a prompt of a request with scope r. It embeds descriptions that are
// not loaded yet.
func Prompt(ctx context.Context, instances *build.Instances, r config.Request, prompt string) (*Explanation, error) {
	if len(instances.List) == 0 {
		return nil, errors.New("the configuration has no enabled ai-proxy-advanced plugin")
	}
	plugin, instance, ok := instances.ForRequest(r)
	if !ok {
		return nil, noInstance(instances.Config, r)
	}
	e := &Explanation{Instance: newInstance(plugin, instance), Distances: []record.Candidate{}, Plan: []Attempt{}}
	var loadErr error
	if instance.HasDescriptions() {
		loadErr = instance.Load(ctx)
		var unsynced *vectordb.BackingError
		if errors.As(loadErr, &unsynced) {
			e.Warning, loadErr = loadErr.Error(), nil
		}
	}
	plan := instance.Router.Route(ctx, router.Request{Prompt: prompt})
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
	return e, nil
}
