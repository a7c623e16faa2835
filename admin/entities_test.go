package admin

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
)

// collections returns the bodies of two entities for every collection. Credentials belong
// to the consumer "owner".
func collections() map[string][2]string {
	return map[string][2]string{
		"services":        {`{"name": "one", "host": "a.test"}`, `{"name": "two", "url": "https://b.test/path"}`},
		"routes":          {`{"name": "one", "paths": ["/one"]}`, `{"name": "two", "hosts": ["b.test"]}`},
		"consumers":       {`{"username": "one"}`, `{"username": "two", "custom_id": "second"}`},
		"consumer_groups": {`{"name": "one"}`, `{"name": "two", "tags": ["gold"]}`},
		"plugins":         {aPlugin(`"instance_name": "one", `), aPlugin(`"instance_name": "two", "consumer": {"username": "owner"}, `)},
		"key-auths":       {`{"key": "k1", "consumer": {"username": "owner"}}`, `{"key": "k2", "consumer": {"username": "owner"}}`},
		"basic-auths":     {`{"username": "one", "password": "p", "consumer": {"username": "owner"}}`, `{"username": "two", "password": "p", "consumer": {"username": "owner"}}`},
		"jwts":            {`{"key": "one", "secret": "s", "consumer": {"username": "owner"}}`, `{"key": "two", "secret": "s", "consumer": {"username": "owner"}}`},
		"acls":            {`{"group": "one", "consumer": {"username": "owner"}}`, `{"group": "two", "consumer": {"username": "owner"}}`},
	}
}

func TestEveryMethodOfEveryCollection(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(collections())) {
		t.Run(name, func(t *testing.T) {
			s, bodies := serve(t, Options{}), collections()[name]
			s.call("POST", "/consumers", `{"username": "owner"}`).is(201)
			at := "/" + name

			first := s.call("POST", at, bodies[0]).is(201).object()
			id := text(first, "id")
			require.True(t, isUUID(id))
			require.Equal(t, byte('4'), id[14], "a UUID of version 4")
			require.NotNil(t, first["created_at"])
			s.call("POST", at+"/", bodies[1]).is(201)
			s.call("POST", at, bodies[0]).is(409)

			require.Subset(t, ids(s.call("GET", at, "").is(200).data()), []string{id})
			require.Subset(t, ids(s.call("GET", at+"/", "").is(200).data()), []string{id})
			require.Equal(t, first, single(s.call("GET", at+"/"+id+"/", "").is(200)))
			require.Equal(t, 200, s.call("HEAD", at+"/"+id, "").status)
			byName := map[string]string{"key-auths": "/key-auths/k1", "acls": "/consumers/owner/acls/one"}[name]
			require.Equal(t, first, single(s.call("GET", cmp.Or(byName, at+"/one"), "").is(200)), "by its key")

			patched := s.call("PATCH", at+"/"+id, `{"tags": ["a", "b"]}`).is(200).object()
			require.Equal(t, []any{"a", "b"}, patched["tags"])
			require.Equal(t, first["created_at"], patched["created_at"])
			for field, v := range first {
				if field != "tags" && field != "updated_at" {
					require.Equal(t, v, patched[field], field)
				}
			}
			replaced := s.call("PUT", at+"/"+id, bodies[0]).is(200).object()
			require.Nil(t, replaced["tags"], "PUT replaces the entity")
			require.Equal(t, id, replaced["id"])

			s.call("POST", at+"/"+id, `{}`).is(405)
			s.call("PUT", at, `{}`).is(405)
			s.call("PATCH", at, `{}`).is(405)
			s.call("DELETE", at, "").is(405)
			s.call("DELETE", at+"/"+id, "").is(204)
			s.call("GET", at+"/"+id, "").is(404)
			s.call("PATCH", at+"/"+id, `{}`).is(404)
			s.call("DELETE", at+"/"+id, "").is(204)
		})
	}
}

// ids returns the ids of entities.
func ids(list []object) []string {
	all := []string{}
	for _, e := range list {
		all = append(all, text(e, "id"))
	}
	return all
}

// single returns the entity of a response. A group is inside an object with its members.
func single(r reply) object {
	o := r.object()
	if g, ok := o["consumer_group"].(object); ok {
		return g
	}
	return o
}

func TestPutCreatesByIDOrKey(t *testing.T) {
	s := serve(t, Options{})
	const id = "6f1f9cc4-8a4d-4f2b-9d6c-1f4b7b0f0a11"
	require.Equal(t, id, s.call("PUT", "/services/"+id, `{"name": "x", "host": "x.test"}`).is(200).object()["id"])
	require.Equal(t, "alice", s.call("PUT", "/consumers/alice", `{}`).is(200).object()["username"])
	require.Equal(t, "alice", s.call("GET", "/consumers/alice", "").is(200).object()["username"])
	requireKong(t, s.call("PUT", "/key-auths/x", `{}`).is(400), codeSchemaViolation, "schema violation")
	key := s.call("PUT", "/consumers/alice/key-auth/the-key", `{}`).is(200).object()
	require.Equal(t, "the-key", s.inForce().Consumers[0].KeyAuth[0].Key.Reveal())
	require.Equal(t, key["id"], s.call("PUT", "/consumers/alice/key-auth/the-key", `{"tags": ["a"]}`).is(200).object()["id"])
	s.call("POST", "/services", `{"id": "`+id+`", "name": "y", "host": "y.test"}`).is(400)
	s.call("POST", "/services", `{"id": "no", "name": "y", "host": "y.test"}`).is(400)
}

func number(r reply, field string) int {
	n, ok := r.object()[field].(interface{ Int64() (int64, error) })
	require.True(r.t, ok, r.raw)
	i, err := n.Int64()
	require.NoError(r.t, err)
	return int(i)
}

func TestServicesHaveKongsDefaults(t *testing.T) {
	s := serve(t, Options{})
	e := s.call("POST", "/services", `{"name": "a", "url": "https://host.test/v1"}`).is(201).raw
	for _, want := range []string{
		`"protocol":"https"`, `"host":"host.test"`, `"port":443`, `"path":"/v1"`, `"retries":5`, `"enabled":true`,
		`"connect_timeout":60000`, `"read_timeout":60000`, `"write_timeout":60000`, `"tags":null`, `"tls_verify":null`,
	} {
		require.Contains(t, e, want)
	}
	require.NotContains(t, e, `"url"`)
	e = s.call("POST", "/services/a/routes", `{"paths": ["/a"]}`).is(201).raw
	for _, want := range []string{
		`"protocols":["http","https"]`, `"strip_path":true`, `"https_redirect_status_code":426`, `"path_handling":"v0"`, `"hosts":null`,
	} {
		require.Contains(t, e, want)
	}
}

func TestPluginsHaveDefaultsAndNumbersAsSent(t *testing.T) {
	s := serve(t, Options{})
	raw := s.call("POST", "/plugins", aPlugin("")).is(201).raw
	for _, want := range []string{
		`"temperature":1.0`, `"weight":7`, `"retries":5`, `"algorithm":"round-robin"`, `"log_payloads":false`,
		`"connect_timeout":60000`, `"protocols":["grpc","grpcs","http","https","ws","wss"]`, `"service":null`, `"consumer_group":null`, `"enabled":true`,
	} {
		require.Contains(t, raw, want)
	}
	require.Equal(t, "Bearer sk-planted", s.inForce().Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal())
}

func TestNestedCollections(t *testing.T) {
	s := serve(t, Options{})
	s.call("POST", "/services", `{"name": "svc", "host": "a.test"}`).is(201)
	s.call("POST", "/services/svc/routes", `{"name": "rt", "paths": ["/a"]}`).is(201)
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	s.call("POST", "/consumer_groups", `{"name": "gold"}`).is(201)
	for at, field := range map[string]string{
		"/services/svc": "service", "/routes/rt": "route", "/consumers/alice": "consumer", "/consumer_groups/gold": "consumer_group",
	} {
		plugin := s.call("POST", at+"/plugins/", aPlugin("")).is(201).object()
		require.Equal(t, single(s.call("GET", at, ""))["id"], referencedID(plugin, field))
		id := text(plugin, "id")
		require.Equal(t, []string{id}, ids(s.call("GET", at+"/plugins", "").is(200).data()))
		s.call("GET", at+"/plugins/"+id, "").is(200)
		require.Equal(t, false, s.call("PATCH", at+"/plugins/"+id, `{"enabled": false}`).is(200).object()["enabled"])
		require.Equal(t, true, s.call("PUT", at+"/plugins/"+id, aPlugin("")).is(200).object()["enabled"])
		require.Equal(t, single(s.call("GET", at, ""))["id"], single(s.call("GET", "/plugins/"+id+"/"+field, "").is(200))["id"])
		s.call("POST", at+"/plugins", aPlugin("")).is(409)
	}
	require.Len(t, s.inForce().Plugins, 4)

	one := ids(s.call("GET", "/services/svc/plugins", "").data())[0]
	s.call("GET", "/routes/rt/plugins/"+one, "").is(404)
	s.call("PUT", "/routes/rt/plugins/"+one, aPlugin("")).is(404)
	s.call("DELETE", "/routes/rt/plugins/"+one, "").is(404)
	s.call("DELETE", "/services/svc/plugins/"+one, "").is(204)
	require.Equal(t, "svc", s.call("GET", "/routes/rt/service", "").is(200).object()["name"])
	s.call("DELETE", "/routes/rt/service", "").is(405)
	for _, missing := range []string{"/services/no/plugins", "/consumers/no/key-auth", "/consumer_groups/no/consumers", "/services/svc/key-auth", "/nothing"} {
		s.call("GET", missing, "").is(404)
	}
	s.call("POST", "/consumers/no/plugins/", aPlugin("")).is(404)
}

func TestCredentialsBelongToConsumers(t *testing.T) {
	s := serve(t, Options{})
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	s.call("POST", "/consumers/alice/key-auth", `{"key": "the-key"}`).is(201)
	s.call("POST", "/consumers/alice/basic-auth", `{"username": "al", "password": "pw"}`).is(201)
	s.call("POST", "/consumers/alice/jwt", `{"key": "issuer", "secret": "sec"}`).is(201)
	c := s.inForce().Consumers[0]
	require.Equal(t, "the-key", c.KeyAuth[0].Key.Reveal())
	require.Equal(t, "pw", c.BasicAuth[0].Password.Reveal())
	require.Equal(t, "HS256", c.JWTSecrets[0].Algorithm)
	s.call("GET", "/consumers/alice/basic-auth/al", "").is(200)
	require.Equal(t, "alice", s.call("GET", "/basic-auths/al/consumer", "").is(200).object()["username"])
	s.call("POST", "/consumers/alice/jwt", `{"key": "rsa", "algorithm": "RS256"}`).is(400)
	s.call("POST", "/key-auths", `{"key": "x"}`).is(400)
	s.call("DELETE", "/consumers/alice", "").is(204)
	require.Empty(t, s.call("GET", "/key-auths", "").data())
	require.Empty(t, s.inForce().Consumers)
}

func TestGroupsHaveMembers(t *testing.T) {
	s := serve(t, Options{})
	s.call("POST", "/consumers", `{"username": "alice"}`).is(201)
	s.call("POST", "/consumers", `{"username": "bob"}`).is(201)
	s.call("POST", "/consumer_groups", `{"name": "gold"}`).is(201)
	joined := s.call("POST", "/consumer_groups/gold/consumers", `{"consumer": "alice"}`).is(201).object()
	require.Equal(t, "gold", joined["consumer_group"].(object)["name"])
	require.Equal(t, "alice", joined["consumers"].([]any)[0].(object)["username"])
	s.call("POST", "/consumer_groups/gold/consumers", `{"consumer": "alice"}`).is(409)
	s.call("POST", "/consumer_groups/gold/consumers", `{"consumer": "nobody"}`).is(404)
	s.call("POST", "/consumer_groups/gold/consumers", `{}`).is(400)
	require.Equal(t, []string{"gold"}, s.inForce().Consumers[slices.IndexFunc(s.inForce().Consumers, isAlice)].Groups)
	s.send("POST", "/consumers/bob/consumer_groups", "application/x-www-form-urlencoded", "group=gold").is(201)
	require.Len(t, s.call("GET", "/consumer_groups/gold/consumers", "").data(), 2)
	require.Len(t, s.call("GET", "/consumer_groups/gold", "").object()["consumers"], 2)
	require.Equal(t, "gold", s.call("GET", "/consumers/alice/consumer_groups", "").data()[0]["name"])
	s.call("GET", "/consumer_groups/gold/consumers/alice", "").is(200)
	s.call("DELETE", "/consumers/alice/consumer_groups/gold", "").is(204)
	s.call("DELETE", "/consumers/alice/consumer_groups/gold", "").is(404)
	s.call("DELETE", "/consumer_groups/gold/consumers", "").is(204)
	require.Empty(t, s.call("GET", "/consumer_groups/gold/consumers", "").data())
	s.call("DELETE", "/consumer_groups/gold", "").is(204)
}

func TestDeleteFollowsReferences(t *testing.T) {
	s := serve(t, Options{})
	s.call("POST", "/services", `{"name": "svc", "host": "a.test"}`).is(201)
	s.call("POST", "/services/svc/routes", `{"name": "rt", "paths": ["/a"]}`).is(201)
	s.call("POST", "/services/svc/plugins", aPlugin("")).is(201)
	s.call("POST", "/routes/rt/plugins", aPlugin("")).is(201)
	f := s.call("DELETE", "/services/svc", "").is(400).object()
	require.Equal(t, "an existing 'routes' entity references this 'services' entity", f["message"])
	require.Equal(t, object{"@referenced_by": "routes"}, f["fields"])
	s.call("DELETE", "/routes/rt", "").is(204)
	s.call("DELETE", "/services/svc", "").is(204)
	require.Empty(t, s.inForce().Plugins)
}

func TestTagsAndPages(t *testing.T) {
	s := serve(t, Options{})
	for i := range 7 {
		tags := `["all", "even"]`
		if i%2 == 1 {
			tags = `["all", "odd"]`
		}
		s.call("POST", "/consumers", `{"username": "user`+string(rune('0'+i))+`", "tags": `+tags+`}`).is(201)
	}
	for query, want := range map[string]int{"tags=even": 4, "tags=all,odd": 3, "tags=even/odd": 7, "tags=odd,even": 0} {
		require.Len(t, s.call("GET", "/consumers?"+query, "").is(200).data(), want, query)
	}
	s.call("GET", "/consumers?tags=a,b/c", "").is(400)
	require.Len(t, s.call("GET", "/tags/odd", "").is(200).data(), 3)
	require.Len(t, s.call("GET", "/tags", "").is(200).data(), 14)

	seen, next := []string{}, "/consumers?size=3&tags=all"
	for pages := 0; next != ""; pages++ {
		require.Less(t, pages, 4)
		r := s.call("GET", next, "").is(200)
		require.LessOrEqual(t, len(r.data()), 3)
		seen = append(seen, ids(r.data())...)
		if pages == 0 {
			// The entity that the offset names may be deleted between two pages.
			s.call("DELETE", "/consumers/"+seen[len(seen)-1], "").is(204)
		}
		next = text(r.object(), "next")
	}
	require.Len(t, seen, 7)
	require.True(t, slices.IsSorted(seen))
	require.Nil(t, s.call("GET", "/consumers", "").object()["next"])
	for _, size := range []string{"0", "-1", "1001", "many", ""} {
		require.Equal(t, codeInvalidSize, number(s.call("GET", "/consumers?size="+size, "").is(400), "code"))
	}
	s.call("GET", "/consumers?size=1000", "").is(200)
	require.Equal(t, codeInvalidOffset, number(s.call("GET", "/consumers?offset=!!", "").is(400), "code"))
}

func TestForms(t *testing.T) {
	s := serve(t, Options{})
	const form = "application/x-www-form-urlencoded"
	e := s.send("POST", "/services", form, "name=a&url=http://h.test:81/&tags[]=x&tags[]=y&retries=3&enabled=false").is(201).object()
	require.Equal(t, []any{"x", "y"}, e["tags"])
	require.Equal(t, false, e["enabled"])
	s.send("POST", "/services/a/routes", form, "name=r&paths=/a&paths=/b&hosts[2]=h2&hosts[1]=h1&strip_path=false").is(201)
	require.Equal(t, []string{"/a", "/b"}, s.inForce().Routes[0].Paths)
	require.Equal(t, []string{"h1", "h2"}, s.inForce().Routes[0].Hosts)
	p := s.send("POST", "/plugins", form, strings.Join([]string{
		"name=ai-proxy-advanced", "service.name=a", "config.targets[1].route_type=llm/v1/chat", "config.targets[1].model.provider=openai",
		"config.targets[1].model.name=gpt-4o", "config.targets[1].weight=9", "config.targets[1].model.options.temperature=0.5",
		"config.balancer.failover_criteria[]=error", "config.balancer.failover_criteria[]=http_429", "config.targets[1].logging.log_statistics=true",
	}, "&")).is(201).raw
	require.Contains(t, p, `"weight":9`)
	require.Contains(t, p, `"temperature":0.5`)
	require.Contains(t, p, `"failover_criteria":["error","http_429"]`)
	require.Equal(t, []any{}, s.send("PATCH", "/services/a", form, "tags[]=").is(200).object()["tags"])
	require.Nil(t, s.send("PATCH", "/services/a", form, "tags=").is(200).object()["tags"])
	require.Contains(t, s.send("POST", "/services/a/routes", form, "name=h&headers.x-team=a").is(201).raw, `"headers":{"x-team":["a"]}`)
	s.send("POST", "/services", form, "name=b&tags[0]=x").is(400)
	s.send("POST", "/services", form, "name=b&name.c=x").is(400)
	s.send("POST", "/services", form, "name=b&tags[99999999]=x").is(400)
	s.send("POST", "/services", "text/plain", "name=b").is(415)
	multipart := "--B\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\ncarol\r\n--B--\r\n"
	s.send("POST", "/consumers", "multipart/form-data; boundary=B", multipart).is(201)
}

func TestPatchMergesRecordsAndReplacesLists(t *testing.T) {
	s := serve(t, Options{})
	id := text(s.call("POST", "/plugins", aPlugin("")).is(201).object(), "id")
	s.call("PATCH", "/plugins/"+id, `{"config": {"balancer": {"retries": 2}}}`).is(200)
	r := s.call("PATCH", "/plugins/"+id, `{"config": {"balancer": {"connect_timeout": 500}}}`).is(200).raw
	require.Contains(t, r, `"retries":2`)
	require.Contains(t, r, `"connect_timeout":500`)
	require.Len(t, s.inForce().Plugins[0].Settings.Targets, 1)
	r = s.call("PATCH", "/plugins/"+id, `{"config": {"balancer": {"retries": null}}}`).is(200).raw
	require.Contains(t, r, `"retries":5`)
	require.Equal(t, http.StatusBadRequest, s.call("PATCH", "/plugins/"+id, `{"config": {"targets": []}}`).status)
}

func isAlice(c config.Consumer) bool { return c.Username == "alice" }
