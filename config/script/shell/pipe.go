package shell

import "mvdan.cc/sh/v3/syntax"

// binary reads the commands of a pipe or of a chain. The parser nests long chains to
// the left, so they are walked without recursion.
func (r *reader) binary(c *syntax.BinaryCmd) {
	chain := []*syntax.BinaryCmd{c}
	for {
		left, ok := chain[len(chain)-1].X.Cmd.(*syntax.BinaryCmd)
		if !ok {
			break
		}
		chain = append(chain, left)
	}
	start := len(r.commands)
	r.statement(chain[len(chain)-1].X)
	outside := r.conditional
	for i := len(chain) - 1; i >= 0; i-- {
		before := len(r.commands)
		r.conditional = r.conditional || chain[i].Op == syntax.AndStmt || chain[i].Op == syntax.OrStmt
		r.statement(chain[i].Y)
		if pipe := chain[i].Op == syntax.Pipe || chain[i].Op == syntax.PipeAll; pipe && start < before && before < len(r.commands) {
			r.pipe(start, before)
		}
		start = before
	}
	r.conditional = outside
}

// pipe makes the commands from start up to before print into the one behind them.
func (r *reader) pipe(start, before int) {
	to := &r.commands[before]
	to.Piped = true
	if before == start+1 || to.Input.Pieces != nil {
		return
	}
	for _, c := range r.commands[start:before] {
		printed, ok := c.Printed()
		if !ok {
			printed = Word{[]Piece{{Unread: true, Start: c.Offset, End: c.Offset}}}
		}
		lineEnd := Piece{Text: "\n", Start: c.Offset, End: c.Offset}
		to.Input.Pieces = append(append(to.Input.Pieces, printed.Pieces...), lineEnd)
	}
}
