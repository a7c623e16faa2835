// Package config is the model that every format of configuration yields: instances of
// Kong's ai-proxy-advanced plugin, and the services, routes, consumers and groups that
// they apply to. It finds the instance for a request by Kong's precedence of scopes, and
// redacts credentials in texts of other programs.
//
// Package load makes a [Config] of files. What is wrong with them is returned at once, as
// [Faults].
package config
