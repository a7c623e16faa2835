package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"semlb/config"
	"semlb/router"
	"semlb/vectordb"
)

type explainOptions struct {
	loadOptions
	request config.Request
	json    bool
}

func newExplain(env Environment) *cobra.Command {
	o := &explainOptions{}
	c := &cobra.Command{
		Use:   "explain -c FILE PROMPT",
		Short: "Say where a prompt would go, and why",
		Long: `Say where a prompt would go, and why, without sending it to a model. Which plugin
instance serves depends on where the prompt comes from: --route, --service,
--consumer and --group say it. Without them it is an anonymous request without a
route.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), env, args[0]) },
	}
	o.bind(c)
	bindScope(c, &o.request)
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	c.Flags().BoolVar(&o.demo, "demo", false, "explain the configuration of the demonstration: no key, no server")
	return c
}

// explanation is what explain prints.
type explanation struct {
	Instance  *explainedInstance `json:"instance"`
	Reason    router.Reason      `json:"reason"`
	Threshold *float64           `json:"threshold,omitempty"`
	Error     string             `json:"error,omitempty"`
	Warning   string             `json:"warning,omitempty"`
	Distances []router.Distance  `json:"distances"`
	Plan      []plannedTarget    `json:"plan"`
}

type plannedTarget struct {
	Attempt     int    `json:"attempt"`
	Model       string `json:"model"`
	Weight      int    `json:"weight"`
	Description string `json:"description,omitempty"`
	Endpoint    string `json:"endpoint"`
}

func (o *explainOptions) run(ctx context.Context, env Environment, prompt string) error {
	if o.demo {
		o.embeddings, o.vectordb = "builtin", "memory"
	}
	if err := o.check(); err != nil {
		return err
	}
	log, err := o.logger(env.Stderr)
	if err != nil {
		return err
	}
	cfg, err := o.load(env, log)
	if err != nil {
		return err
	}
	b := &builder{options: o.loadOptions, log: log, baseURL: o.providerURL}
	a, err := b.assemble(ctx, cfg)
	defer a.close()
	if err != nil {
		return err
	}
	if len(a.plugins) == 0 {
		return errors.New("the configuration has no enabled ai-proxy-advanced plugin")
	}
	instance, parts, err := a.instanceFor(o.request)
	if err != nil {
		return err
	}
	e := explain(ctx, parts, prompt)
	e.Instance = instance
	if o.json {
		encoder := json.NewEncoder(env.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(e)
	}
	return e.print(env.Stdout)
}

func explain(ctx context.Context, parts *pluginParts, prompt string) *explanation {
	e := &explanation{Distances: []router.Distance{}, Plan: []plannedTarget{}}
	if parts.store != nil {
		err := parts.load(ctx)
		var behind *vectordb.BackingError
		if errors.As(err, &behind) {
			e.Warning, err = err.Error(), nil
		}
		near, nearestErr := parts.router.Nearest(ctx, prompt)
		e.Distances = append(e.Distances, near...)
		// That the descriptions could not be loaded is the cause of what comes after.
		if err = cmp.Or(err, nearestErr); err != nil {
			e.Error = err.Error()
		}
	}
	plan := parts.router.Route(ctx, prompt)
	e.Reason, e.Threshold = plan.Reason, plan.Threshold
	for i, id := range plan.Targets {
		t := parts.instance.Targets[id]
		at := t.Endpoint()
		e.Plan = append(e.Plan, plannedTarget{
			Attempt: i + 1, Model: t.Name(), Weight: t.Weight, Description: t.Description,
			Endpoint: at.Scheme + "://" + at.Authority(),
		})
	}
	return e
}

// meaning is what a reason means, for a person.
func meaning(r router.Reason) string {
	switch r {
	case router.Matched:
		return "the nearest description is within the threshold"
	case router.BeyondThreshold:
		return "no description is within the threshold and there is no CATCHALL, so the nearest serves all the same"
	case router.CaughtAll:
		return "no description is within the threshold, so CATCHALL serves"
	case router.NoMatch:
		return "no description is within the threshold, and no_match is reject"
	case router.NoPrompt:
		return "there is no text to compare, so the default group serves"
	case router.AllOut:
		return "every target has failed too often and is left out for a while"
	case router.Degraded:
		return "the distances could not be had, so the default group serves"
	default:
		return "the algorithm does not look at the prompt"
	}
}

func (e *explanation) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "instance\t%s\t%s\n", e.Instance.ID, e.Instance)
	if e.Error != "" {
		fmt.Fprintf(t, "error\t%s\n", e.Error)
	}
	if e.Warning != "" {
		fmt.Fprintf(t, "warning\t%s\n", e.Warning)
	}
	threshold := "none: the nearest always matches"
	if e.Threshold != nil {
		threshold = strconv.FormatFloat(*e.Threshold, 'g', -1, 64)
	}
	fmt.Fprintf(t, "threshold\t%s\n", threshold)
	for _, d := range e.Distances {
		fmt.Fprintf(t, "distance\t%.4f\t%s\n", d.Distance, d.Description)
	}
	fmt.Fprintf(t, "reason\t%s\t%s\n", e.Reason, meaning(e.Reason))
	for _, p := range e.Plan {
		fmt.Fprintf(t, "attempt %d\t%s\tweight %d, %s, %s\n", p.Attempt, p.Model, p.Weight, strconv.Quote(p.Description), p.Endpoint)
	}
	return t.Flush()
}
