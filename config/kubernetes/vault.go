package kubernetes

import (
	"semlb/config/format"
	"semlb/config/tree"
)

// vault yields the vault that a KongVault declares.
func (r *reader) vault(n *tree.Node) {
	spec := n.Get("spec").OrObject(n.Pos)
	v := &tree.Node{Kind: tree.Object, Pos: n.Pos}
	for from, to := range map[string]string{"backend": "name", "prefix": "prefix", "config": "config"} {
		if value := spec.Get(from); value != nil {
			v = v.With(to, value)
		}
	}
	r.AddEntity(format.KindVault, "spec", v)
}
