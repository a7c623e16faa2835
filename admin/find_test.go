package admin

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConsumersAreListedByCustomID(t *testing.T) {
	s := serve(t, Options{})
	first := s.call("POST", "/consumers", `{"username": "alice", "custom_id": "9"}`).is(201).object()
	s.call("POST", "/consumers", `{"username": "9b", "custom_id": "10"}`).is(201)
	require.Equal(t, ids([]object{first}), ids(s.call("GET", "/consumers?custom_id=9", "").is(200).data()))
	require.Empty(t, s.call("GET", "/consumers/?custom_id=no", "").is(200).data())
	require.Len(t, s.call("GET", "/consumers", "").data(), 2)
}

func TestCredentialsAreFoundByKey(t *testing.T) {
	s := serve(t, Options{})
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	s.call("POST", "/consumers", `{"username": "bob"}`).is(201)
	for path, body := range map[string]string{
		"key-auth/the-key": `{"key": "the-key"}`, "basic-auth/al": `{"username": "al", "password": "pw"}`, "jwt/issuer": `{"key": "issuer", "secret": "s"}`,
	} {
		collection, _, _ := strings.Cut(path, "/")
		id := s.call("POST", "/consumers/alice/"+collection, body).is(201).object()["id"]
		require.Equal(t, id, s.call("GET", "/consumers/alice/"+path, "").is(200).object()["id"])
		s.call("GET", "/consumers/bob/"+path, "").is(404)
		s.call("DELETE", "/consumers/bob/"+path, "").is(404)
		s.call("PUT", "/consumers/bob/"+path, body).is(404)
		require.Equal(t, []any{"a"}, s.call("PATCH", "/consumers/alice/"+path, `{"tags": ["a"]}`).is(200).object()["tags"])
		s.call("DELETE", "/consumers/alice/"+path, "").is(204)
		s.call("GET", "/consumers/alice/"+path, "").is(404)
	}
}

func TestNamesMayLookLikeIDs(t *testing.T) {
	s := serve(t, Options{})
	const name = "6f1f9cc4-8a4d-4f2b-9d6c-1f4b7b0f0a11"
	id := s.call("POST", "/consumers", `{"username": "`+name+`"}`).is(201).object()["id"]
	require.Equal(t, id, s.call("GET", "/consumers/"+name, "").is(200).object()["id"])
	require.Equal(t, id, s.call("PUT", "/consumers/"+name, `{"username": "`+name+`"}`).is(200).object()["id"])
	require.Len(t, s.call("GET", "/consumers", "").data(), 1)
	s.call("POST", "/consumers/"+name+"/key-auth", `{"key": "k"}`).is(201)
}
