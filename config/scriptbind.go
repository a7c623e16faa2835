package config

import (
	"fmt"
	"regexp"
	"strings"
)

// bindRequests turns the requests of scripts into entities and entries, when all of
// them are known.
func (l *loader) bindRequests() {
	credentials := map[string]map[string]*node{}
	for _, r := range l.requests {
		if list := credentialList(r); list != "" {
			owner := r.parts[1]
			if credentials[owner] == nil {
				credentials[owner] = map[string]*node{}
			}
			all := orList(credentials[owner][list], r.body.pos)
			all.items = append(all.items, r.body)
			credentials[owner][list] = all
		}
	}
	for _, r := range l.requests {
		if credentialList(r) == "" {
			l.bindRequest(r, credentials)
		}
	}
}

func credentialList(r request) string {
	if len(r.parts) != 3 || r.parts[0] != "consumers" {
		return ""
	}
	return credentialLists[r.parts[2]]
}

// credentialLists are the lists of a consumer by the paths of the Admin API.
var credentialLists = map[string]string{"key-auth": "keyauth_credentials", "basic-auth": "basicauth_credentials", "jwt": "jwt_secrets"}

func (l *loader) bindRequest(r request, credentials map[string]map[string]*node) {
	path := "/" + strings.Join(r.parts, "/")
	kind, name, nested := r.parts[0], "", ""
	if len(r.parts) > 1 {
		name = r.parts[1]
	}
	if len(r.parts) > 2 {
		nested = r.parts[2]
	}
	scopes := map[string]Scope{
		"services": {Service: name}, "routes": {Route: name}, "consumers": {Consumer: name}, "consumer_groups": {ConsumerGroup: name},
	}
	scope, isEntity := scopes[kind]
	switch {
	case r.parts[0] == "plugins":
		l.pluginEntry(path, r.body, Scope{})
	case isEntity && nested == "plugins":
		l.pluginEntry(path, r.body, scope)
	case kind == "services" && nested == "routes":
		l.route(path, r.body, name)
	case kind == "consumer_groups" && nested == "consumers":
		l.members = append(l.members, member{r.body.get("consumer").str(), name})
	case kind == "consumers" && nested == "consumer_groups":
		l.members = append(l.members, member{name, r.body.get("group").str()})
	case isEntity && len(r.parts) < 3:
		l.requestedEntity(path, r, credentials)
	default:
		l.warn(r.body.pos, "", fmt.Sprintf("a request to %q is not read", shownPath(r.parts)))
	}
}

// shownPath returns a path for a message, with a placeholder for names and ids. Those
// are arguments of a script, and may be credentials.
func shownPath(parts []string) string {
	path := ""
	for i, part := range parts {
		if i%2 == 1 || !plainPath.MatchString(part) {
			part = "…"
		}
		path += "/" + part
	}
	return path
}

// plainPath matches the collections of the Admin API.
var plainPath = regexp.MustCompile(`^[a-z][a-z_-]{0,23}$`)

// requestedEntity reads an entity that a request makes. A request to its own path
// names it there.
func (l *loader) requestedEntity(path string, r request, credentials map[string]map[string]*node) {
	n, key := r.body, "name"
	if r.parts[0] == "consumers" {
		key = "username"
	}
	if len(r.parts) > 1 && absent(n, key) && n.kind == kindObject {
		n = n.with(key, &node{kind: kindString, pos: n.pos, text: r.parts[1]})
	}
	switch r.parts[0] {
	case "services":
		l.service(path, n)
	case "routes":
		l.route(path, n, "")
	case "consumer_groups":
		l.consumerGroup(path, n)
	case "consumers":
		for _, name := range []string{n.get("username").str(), n.get("id").str(), n.get("custom_id").str()} {
			for _, list := range []string{"keyauth_credentials", "basicauth_credentials", "jwt_secrets"} {
				if all := credentials[name][list]; all != nil && name != "" && absent(n, list) {
					n = n.with(list, all)
				}
			}
		}
		l.consumer(path, n)
	}
}
