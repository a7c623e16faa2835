package format

import (
	"semlb/config/tree"
)

// Credential is a kind of credential of consumers.
type Credential struct {
	// List is the field of a consumer that lists them.
	List string
	// Kind is Kong's name of the plugin that checks them.
	Kind string
	// Path is where the Admin API has them below a consumer.
	Path string
	// Fields are those of a credential; Secret is the one that must not be seen, if any.
	Fields []string
	Secret string
}

// Credentials are the kinds of credentials that are read. Groups of acl are none, but Kong
// has them in the same places.
var Credentials = [...]Credential{
	{List: "keyauth_credentials", Kind: "key-auth", Path: "key-auth", Fields: []string{"key"}, Secret: "key"},
	{List: "basicauth_credentials", Kind: "basic-auth", Path: "basic-auth", Fields: []string{"username", "password"}, Secret: "password"},
	{List: "jwt_secrets", Kind: "jwt", Path: "jwt", Fields: []string{"key", "secret", "algorithm", "rsa_public_key"}, Secret: "secret"},
	{List: "acls", Kind: "acl", Path: "acls", Fields: []string{"group"}},
}

// CredentialOf returns the kind of credential with a name of Kong's.
func CredentialOf(kind string) (Credential, bool) {
	for _, c := range Credentials {
		if c.Kind == kind {
			return c, true
		}
	}
	return Credential{}, false
}

// CredentialAt returns the kind of credential at a path of the Admin API.
func CredentialAt(path string) (Credential, bool) {
	for _, c := range Credentials {
		if c.Path == path {
			return c, true
		}
	}
	return Credential{}, false
}

// Owned collects the credentials of consumers where a format has them apart: lists of
// credentials, by the consumer's name or id and the name of the list.
type Owned map[string]map[string]*tree.Node

// Add adds a credential of a consumer.
func (o Owned) Add(consumer, list string, credential *tree.Node) {
	if o[consumer] == nil {
		o[consumer] = map[string]*tree.Node{}
	}
	all := o[consumer][list]
	if all == nil {
		all = &tree.Node{Kind: tree.List, Pos: credential.Pos}
		o[consumer][list] = all
	}
	all.Items = append(all.Items, credential)
}

// Given returns a consumer with the credentials that a name of it owns, unless it has
// such a list itself.
func (o Owned) Given(consumer *tree.Node, name string) *tree.Node {
	for _, c := range Credentials {
		if list := o[name][c.List]; list != nil && name != "" && !consumer.Has(c.List) {
			consumer = consumer.With(c.List, list)
		}
	}
	return consumer
}
