package admin

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"semlb/wire"
)

// validate adds what is wrong with a draft before config sees it: references and fields
// that are required, and what the kind checks.
func (d *draft) validate() {
	if owner := d.kind.owner(); owner != nil && d.fields[owner.field] == nil {
		d.violations = append(d.violations, wrong(missing, owner.field))
	}
	d.violations = append(d.violations, d.kind.check(d.fields)...)
	described := d.described().Fields
	for _, name := range slices.Sorted(maps.Keys(described)) {
		// A file may leave out what is required here; a PATCH of other fields need not add it.
		keeps := d.patch && d.old.fields[name] == nil
		if described[name].Always() && d.fields[name] == nil && !keeps {
			d.violations = append(d.violations, wrong(missing, name))
		}
	}
}

// generate makes up the credentials that a client leaves to the server.
func (d *draft) generate() {
	switch d.kind.name {
	case keyAuths:
		d.generateField("key")
	case jwtSecrets:
		d.generateField("key")
		if usesSharedSecret(d.fields) {
			d.generateField("secret")
		}
	}
}

func (d *draft) generateField(name string) {
	if d.fields[name] == nil {
		d.fields[name] = rand.Text()
		d.generated = append(d.generated, name)
	}
}

// usesSharedSecret reports whether a JWT credential verifies signatures with a secret,
// not with a public key.
func usesSharedSecret(jwt object) bool {
	algorithm := text(jwt, "algorithm")
	return algorithm == "" || strings.HasPrefix(algorithm, "HS")
}

func checkNothing(object) []violation { return nil }

// checkService replaces the short form "url" by the fields that it stands for.
func checkService(fields object) []violation {
	short := text(fields, "url")
	if short == "" {
		return nil
	}
	u, err := url.Parse(short)
	if err != nil || u.Hostname() == "" || u.Scheme == "" || u.User != nil {
		return []violation{wrong("missing host in url", "url")}
	}
	delete(fields, "url")
	delete(fields, "path")
	fields["protocol"], fields["host"], fields["port"] = u.Scheme, u.Hostname(), portOf(u)
	if u.Path != "" {
		fields["path"] = u.Path
	}
	return nil
}

// portOf returns the port of a URL, or that of its scheme.
func portOf(u *url.URL) json.Number {
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		return json.Number(strconv.FormatUint(port, 10))
	}
	if u.Scheme == "https" || u.Scheme == "wss" || u.Scheme == "grpcs" {
		return "443"
	}
	return "80"
}

// matchFields are the fields of a route that requests are matched by.
var matchFields = []string{"methods", "hosts", "headers", "paths", "snis", "expression"}

// checkRoute wants a route to match requests by something.
func checkRoute(fields object) []violation {
	for _, name := range matchFields {
		switch v := fields[name].(type) {
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
			return nil // of a wrong type, which config reports
		}
	}
	protocol := "https"
	if list, ok := fields["protocols"].([]any); ok && len(list) > 0 {
		protocol = strings.Trim(fmt.Sprint(list[len(list)-1]), `"`)
	}
	return []violation{wrong("must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is '" + wire.MaskKeys(protocol) + "'")}
}

func checkConsumer(fields object) []violation {
	if fields["username"] == nil && fields["custom_id"] == nil {
		return []violation{wrong("at least one of these fields must be non-empty: 'custom_id', 'username'")}
	}
	return nil
}

// checkJWT wants what the algorithm verifies signatures with. A secret is generated.
func checkJWT(fields object) []violation {
	if !usesSharedSecret(fields) && fields["rsa_public_key"] == nil {
		return []violation{wrong(missing, "rsa_public_key")}
	}
	return nil
}
