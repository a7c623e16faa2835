package admin

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"

	"semlb/config"
)

// shape says what a value is, in the words of Kong's schemas.
type shape struct {
	// typ is string, integer, number, boolean, array, record, map or foreign.
	typ string
	// secret strings are masked. referenceable ones may be a reference to a vault.
	secret, referenceable bool
	// required fields must be given.
	required bool
	// fallback is the default, or nil.
	fallback any
	// validators are Kong's names for bounds and lists of values, with these.
	validators object
	// item describes the elements of an array, or the values of a map.
	item *shape
	// fields describe a record, or what a reference may be.
	fields map[string]*shape
}

// newShape returns the shape of a field as package config checks it.
func newShape(f *config.Field) *shape {
	s := &shape{
		typ: f.Type, secret: f.Secret, referenceable: f.Referenceable, required: f.Required,
		fallback: plain(f.Default), validators: validatorsOf(f),
	}
	if f.Elements != nil {
		s.item = newShape(f.Elements)
	}
	if f.Fields != nil {
		s.fields = make(map[string]*shape, len(f.Fields))
		for name, field := range f.Fields {
			s.fields[name] = newShape(field)
		}
	}
	if f.Type == "foreign" {
		s.fields = map[string]*shape{"id": str(), "name": str(), "username": str()}
	}
	return s
}

// validatorsOf returns the bounds of a field as Kong publishes them. Kong knows no
// lower bound that counts itself, save for one with an upper bound.
func validatorsOf(f *config.Field) object {
	o := object{}
	switch {
	case f.Min != nil && f.Max != nil:
		o["between"] = []any{decimal(*f.Min), decimal(*f.Max)}
	case f.Min != nil && f.Type == "integer":
		o["gt"] = decimal(*f.Min - 1)
	case f.Min != nil:
		o["between"] = []any{decimal(*f.Min), json.Number(strconv.FormatFloat(math.MaxFloat64, 'g', -1, 64))}
	}
	if f.MinLength > 0 {
		o["len_min"] = integer(int64(f.MinLength))
	}
	if f.OneOf != nil {
		values := make([]any, len(f.OneOf))
		for i, v := range f.OneOf {
			values[i] = v
		}
		o["one_of"] = values
	}
	return o
}

// published returns the fields of a record the way Kong publishes schemas.
func (s *shape) published() []any {
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		list = append(list, object{name: s.fields[name].described()})
	}
	return list
}

func (s *shape) described() object {
	if s.isRef() {
		return object{"type": s.typ}
	}
	o := maps.Clone(s.validators)
	if o == nil {
		o = object{}
	}
	o["type"] = s.typ
	if s.required {
		o["required"] = true
	}
	if s.fallback != nil {
		o["default"] = s.fallback
	}
	if s.secret {
		o["encrypted"] = true
	}
	if s.referenceable {
		o["referenceable"] = true
	}
	switch {
	case s.typ == "map":
		// Both tell decK that there is nothing to fill in.
		o["keys"], o["values"] = object{"type": "string"}, object{"type": "any"}
		if s.item != nil {
			o["values"] = s.item.described()
		}
	case s.item != nil:
		o["elements"] = s.item.described()
	case s.fields != nil:
		o["fields"] = s.published()
	}
	return o
}

// isRef reports whether a value names another entity.
func (s *shape) isRef() bool { return s.typ == "foreign" }

func str() *shape { return &shape{typ: "string"} }

// listOf is an array of something.
func listOf(s *shape) *shape { return &shape{typ: "array", item: s} }
