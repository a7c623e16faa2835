package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"semlb/app"
	"semlb/app/explain"
	"semlb/config"
	"semlb/router"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	partFlags
	question explain.Question
	json     bool
}

func newExplain(env Environment) *cobra.Command {
	f := &explainFlags{}
	c := &cobra.Command{
		Use:   "explain FILE... PROMPT",
		Short: "Show where a prompt would go, and why",
		Long: `Show where a prompt would go, and why, without sending it to a model. The last
argument is the prompt. Which plugin instance serves it depends on --route,
--service, --consumer and --group; without them it is an anonymous request without
a route.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c.Context(), env, args) },
	}
	f.bindParts(c, env)
	hide(c, "store-sync", "max-retry-after", "send-timeout")
	f.bindDemo(c, "explain the configuration of the demonstration; needs no key and no server")
	bindScope(c, &f.question.Scope)
	c.Flags().StringVar(&f.question.RouteType, "route-type", "", "`TYPE` of the request, such as llm/v1/completions (default: that of the first target)")
	c.Flags().BoolVar(&f.json, "json", false, "print JSON")
	return c
}

// bindScope binds the flags for the scope of the request.
func bindScope(c *cobra.Command, r *config.Request) {
	f := c.Flags()
	f.StringVar(&r.Route, "route", "", "`NAME` or id of the Kong route of the request")
	f.StringVar(&r.Service, "service", "", "`NAME` or id of the Kong service; not needed with --route")
	f.StringVar(&r.Consumer, "consumer", "", "`NAME` or id of the consumer that sends the prompt (default: none)")
	f.StringArrayVar(&r.ConsumerGroups, "group", nil, "`NAME` or id of a group of the consumer, in addition to those in the configuration (repeatable)")
}

// run explains the last argument; the others are files.
func (f *explainFlags) run(ctx context.Context, env Environment, args []string) error {
	last := len(args) - 1
	f.question.Prompt = args[last]
	if err := f.checkParts(env, args[:last]); err != nil {
		return err
	}
	e, err := app.Explain(ctx, f.options, f.question)
	if err != nil {
		return err
	}
	if f.json {
		encoder := json.NewEncoder(env.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(e)
	}
	return printExplanation(env.Stdout, e)
}

// meaning is what a reason means to a user.
func meaning(r router.Reason) string {
	switch r {
	case router.Matched:
		return "the nearest description is within the threshold"
	case router.BeyondThreshold:
		return "no description is within the threshold and there is no CATCHALL, so the nearest group serves anyway"
	case router.CaughtAll:
		return "no description is within the threshold, so CATCHALL serves"
	case router.NoMatch:
		return "no description is within the threshold, and no_match is reject"
	case router.NoPrompt:
		return "there is no text to compare, so the default group serves"
	case router.AllOut:
		return "the circuit breaker of every target is open, or the target is cooling down"
	case router.Degraded:
		return "the distances could not be measured, so the default group serves"
	default:
		return "the algorithm does not use the prompt"
	}
}

func printExplanation(w io.Writer, e *explain.Explanation) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "instance\t%s\t%s\n", e.Instance.ID, e.Instance)
	for _, g := range e.Guards {
		fmt.Fprintf(t, "guard\t%s\t%s (%s, %s)\n", g.Plugin, g.Outcome, g.Scope, g.Position)
	}
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
	if len(e.MovesOn) > 0 {
		fmt.Fprintf(t, "next on\t%s\n", strings.Join(e.MovesOn, "; "))
	}
	return t.Flush()
}
