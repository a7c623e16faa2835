package admin

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

func nothing(object) []violation { return nil }

// checkService takes the short form of a service apart.
func checkService(e object) []violation {
	short, _ := e["url"].(string)
	if _, given := e["url"]; given && short != "" {
		u, err := url.Parse(short)
		if err != nil || u.Hostname() == "" || u.Scheme == "" || u.User != nil {
			return []violation{wrong("missing host in url", "url")}
		}
		delete(e, "url")
		delete(e, "path")
		e["protocol"], e["host"], e["port"] = u.Scheme, u.Hostname(), integer(80)
		if u.Scheme == "https" || u.Scheme == "wss" || u.Scheme == "grpcs" {
			e["port"] = integer(443)
		}
		if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
			e["port"] = integer(int64(port))
		}
		if u.Path != "" {
			e["path"] = u.Path
		}
	}
	return nil
}

// checkRoute needs something that requests are told by.
func checkRoute(e object) []violation {
	for _, name := range []string{"methods", "hosts", "headers", "paths", "snis", "expression"} {
		switch v := e[name].(type) {
		case []any:
			if len(v) > 0 {
				return nil
			}
		case object:
			if len(v) > 0 {
				return nil
			}
		case nil:
		default:
			return nil // of a wrong type, which is told as such
		}
	}
	protocol := "https"
	if list, ok := e["protocols"].([]any); ok && len(list) > 0 {
		protocol = strings.Trim(fmt.Sprint(list[len(list)-1]), `"`)
	}
	return []violation{wrong("must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is '" + protocol + "'")}
}

func checkConsumer(e object) []violation {
	if e["username"] == nil && e["custom_id"] == nil {
		return []violation{wrong("at least one of these fields must be non-empty: 'custom_id', 'username'")}
	}
	return nil
}

func checkPlugin(e object) []violation {
	name, ok := e["name"].(string)
	if ok && name != pluginName {
		return []violation{wrong("plugin '"+strings.ToValidUTF8(name, "")+"' not enabled; add it to the 'plugins' configuration property", "name")}
	}
	return nil
}

// checkJWT needs what the algorithm checks signatures with.
func checkJWT(e object) []violation {
	algorithm := firstOf(text(e, "algorithm"), "HS256")
	if !strings.HasPrefix(algorithm, "HS") && e["rsa_public_key"] == nil {
		return []violation{wrong(missing, "rsa_public_key")}
	}
	return nil
}

// generate makes up the credentials that a client leaves to the server.
func (d *draft) generate(e object) {
	switch d.kind.name {
	case keyAuths:
		d.fill(e, "key")
	case jwtSecrets:
		d.fill(e, "key")
		if strings.HasPrefix(firstOf(text(e, "algorithm"), "HS256"), "HS") {
			d.fill(e, "secret")
		}
	}
}

func (d *draft) fill(e object, field string) {
	if e[field] == nil {
		e[field] = rand.Text()
		d.generated = append(d.generated, field)
	}
}
