package templates

import (
	"strconv"
	"text/template/parse"
)

// traceFunction is called before each node. It is added after parsing, so that no
// file can call it.
const traceFunction = "semlb_trace"

// trace puts a call of step before every node of a list, and below it. This is how the
// source of each part of the output is known, which text/template does not report. The
// list belongs to the node of a segment.
func (r *renderer) trace(list *parse.ListNode, of segment) {
	if list == nil {
		return
	}
	// An empty list gets one as well, so that an empty loop counts its steps.
	nodes := []parse.Node{r.traceNode(of)}
	for _, n := range list.Nodes {
		start := int(n.Position())
		at := segment{start: start, end: start, text: true}
		if text, ok := n.(*parse.TextNode); ok {
			at.end += len(text.Text)
		} else {
			at = r.actionAt(start)
			r.convertible(n, at)
		}
		for _, below := range children(n) {
			r.trace(below, at)
		}
		nodes = append(nodes, r.traceNode(at), n)
	}
	list.Nodes = nodes
}

// children returns the lists inside a node.
func children(n parse.Node) []*parse.ListNode {
	switch n := n.(type) {
	case *parse.IfNode:
		return []*parse.ListNode{n.List, n.ElseList}
	case *parse.RangeNode:
		return []*parse.ListNode{n.List, n.ElseList}
	case *parse.WithNode:
		return []*parse.ListNode{n.List, n.ElseList}
	default:
		return nil
	}
}

// traceNode returns the call of step for a segment.
func (r *renderer) traceNode(p segment) parse.Node {
	i := len(r.segments)
	r.segments = append(r.segments, p)
	call := &parse.CommandNode{NodeType: parse.NodeCommand, Args: []parse.Node{
		parse.NewIdentifier(traceFunction),
		&parse.NumberNode{NodeType: parse.NodeNumber, IsInt: true, Int64: int64(i), Text: strconv.Itoa(i)},
	}}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pipe: &parse.PipeNode{NodeType: parse.NodePipe, Cmds: []*parse.CommandNode{call}}}
}

// step notes which node is executed next. It prints nothing.
func (r *renderer) step(i int) (string, error) {
	r.current, r.variable = r.segments[i], ""
	if r.steps++; r.steps > maxSteps {
		return "", problem("too many steps")
	}
	return "", nil
}

// convertible notes the fault of a node that a conversion cannot keep: only a single
// value can become a reference of another format.
func (r *renderer) convertible(n parse.Node, at segment) {
	a, ok := n.(*parse.ActionNode)
	if r.Placeholders != nil && (!ok || len(a.Pipe.Decl) > 0) {
		r.fault(at.start, problem("a template with a variable or a control structure cannot be converted"))
	}
}
