package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"

	"semlb/config"
	"semlb/record"
	"semlb/router"
	"semlb/vectordb"
)

// Explanation is where a prompt would go, and why.
type Explanation struct {
	Instance  *ExplainedInstance `json:"instance"`
	Reason    router.Reason      `json:"reason"`
	Threshold *float64           `json:"threshold,omitempty"`
	Error     string             `json:"error,omitempty"`
	Warning   string             `json:"warning,omitempty"`
	Distances []record.Candidate `json:"distances"`
	Plan      []PlannedTarget    `json:"plan"`
}

// PlannedTarget is one attempt of an explanation.
type PlannedTarget struct {
	Attempt     int    `json:"attempt"`
	Model       string `json:"model"`
	Weight      int    `json:"weight"`
	Description string `json:"description,omitempty"`
	Endpoint    string `json:"endpoint"`
}

// Explain says where a prompt with a request's scope would go, without sending it to
// a model.
func Explain(ctx context.Context, o *LoadOptions, log *slog.Logger, r config.Request, prompt string) (*Explanation, error) {
	cfg, err := o.load(log)
	if err != nil {
		return nil, err
	}
	b := &builder{options: *o, log: log, baseURL: o.providerURL}
	a, err := b.assemble(ctx, cfg)
	defer a.close()
	if err != nil {
		return nil, err
	}
	if len(a.plugins) == 0 {
		return nil, errors.New("the configuration has no enabled ai-proxy-advanced plugin")
	}
	instance, parts, err := a.instanceFor(r)
	if err != nil {
		return nil, err
	}
	e := explain(ctx, parts, prompt)
	e.Instance = instance
	return e, nil
}

func explain(ctx context.Context, parts *pluginParts, prompt string) *Explanation {
	e := &Explanation{Distances: []record.Candidate{}, Plan: []PlannedTarget{}}
	var err error
	if parts.store != nil {
		err = parts.load(ctx)
		var behind *vectordb.BackingError
		if errors.As(err, &behind) {
			e.Warning, err = err.Error(), nil
		}
	}
	plan := parts.router.Route(ctx, router.Request{Prompt: prompt})
	// If the descriptions could not be loaded, that is the cause of the plan's error.
	if err = cmp.Or(err, plan.Err); err != nil {
		e.Error = err.Error()
	}
	e.Distances = append(e.Distances, plan.Candidates...)
	e.Reason, e.Threshold = plan.Reason, plan.Threshold
	for i, id := range plan.Targets {
		t := parts.instance.Targets[id]
		at := t.Endpoint()
		e.Plan = append(e.Plan, PlannedTarget{
			Attempt: i + 1, Model: t.Name(), Weight: t.Weight, Description: t.Description,
			Endpoint: at.Scheme + "://" + at.Authority(),
		})
	}
	return e
}
