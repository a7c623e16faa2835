package schema

import "semlb/config/tree"

// Vault describes vault entities. Every version of Kong has them.
var Vault = &Field{Kind: tree.Object, Fields: map[string]*Field{
	"name":        {Name: "name", Kind: tree.String, Required: true},
	"prefix":      {Name: "prefix", Kind: tree.String, Required: true},
	"config":      {Name: "config", Kind: tree.Object, FreeForm: true, Hidden: true},
	"id":          {Name: "id", Kind: tree.String},
	"description": {Name: "description", Kind: tree.String},
	"tags":        {Name: "tags", Kind: tree.List, Elements: &Field{Name: "tags", Kind: tree.String}},
	"created_at":  {Name: "created_at", Kind: tree.Int},
	"updated_at":  {Name: "updated_at", Kind: tree.Int},
}}
