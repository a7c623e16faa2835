package admin

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

// aCredential returns a key with an id of a consumer.
func aCredential(ks kinds, id, key, consumer string) *entity {
	return &entity{kind: ks.named(keyAuths), fields: object{"id": id, "key": key, "consumer": object{"id": consumer}}}
}

func TestIndexesFindWhatAScanFinds(t *testing.T) {
	ks, err := newKinds(load.Options{})
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(1, 2))
	s := newState(ks)
	for range 2000 {
		id := fmt.Sprint(r.IntN(40))
		if r.IntN(3) == 0 {
			s.changeable(keyAuths).remove(id)
		} else {
			s.put(aCredential(ks, id, fmt.Sprint("key", r.IntN(30)), fmt.Sprint("consumer", r.IntN(5))))
		}
		if r.IntN(10) == 0 {
			s = s.clone()
		}
		key, consumer := fmt.Sprint("key", r.IntN(30)), fmt.Sprint("consumer", r.IntN(5))
		require.Equal(t, scan(s, func(e *entity) bool { return e.text("key") == key }), s.collections[keyAuths].having(uniqueKey, key))
		require.Equal(t, scan(s, func(e *entity) bool { return referencedID(e.fields, "consumer") == consumer }), s.collections[keyAuths].referring(0, consumer))
	}
}

// scan returns the keys that a function accepts, in the order of their ids.
func scan(s *state, accept func(*entity) bool) []*entity {
	return slices.DeleteFunc(s.all(keyAuths), func(e *entity) bool { return !accept(e) })
}

func TestChangesToACloneLeaveTheOriginalAsItIs(t *testing.T) {
	ks, err := newKinds(load.Options{})
	require.NoError(t, err)
	before := newState(ks)
	before.put(aCredential(ks, "1", "a", "alice"))
	before.put(aCredential(ks, "2", "b", "alice"))
	before.join("alice", "gold")

	after := before.clone()
	after.put(aCredential(ks, "1", "c", "bob"))
	after.changeable(keyAuths).remove("2")
	after.join("alice", "silver")
	after.leave("alice", "gold")

	require.Equal(t, "a", before.get(keyAuths, "1").text("key"))
	require.NotNil(t, before.withKey(keyAuths, "b"))
	require.Nil(t, before.withKey(keyAuths, "c"))
	require.Len(t, before.collections[keyAuths].referring(0, "alice"), 2)
	require.Equal(t, []string{"gold"}, before.groups["alice"])
	require.Equal(t, "c", after.get(keyAuths, "1").text("key"))
	require.Len(t, after.all(keyAuths), 1)
	require.Equal(t, []string{"silver"}, after.groups["alice"])
}
