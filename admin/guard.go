package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"semlb/wire"
)

// guard decides which requests are admitted.
type guard struct {
	// hosts are the names that a Host header may have.
	hosts []string
	// token is valid for all paths, konnect for Konnect's only. An empty one is not valid.
	token, konnect wire.Secret
}

// newGuard returns the guard of a server. One that listens beyond the loopback must have a
// token.
func newGuard(o Options) (guard, error) {
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return guard{}, fmt.Errorf("listen address of the Admin API: %w", err)
	}
	address, err := netip.ParseAddr(host)
	if loopback := host == "localhost" || err == nil && address.IsLoopback(); !loopback && o.Token.IsZero() {
		return guard{}, errors.New("the Admin API needs a token to listen beyond the loopback: give --admin-token or SEMLB_ADMIN_TOKEN, or listen on 127.0.0.1")
	}
	hosts := append([]string{"localhost", "127.0.0.1", "::1", host}, o.Hosts...)
	for i := range hosts {
		hosts[i] = strings.ToLower(strings.Trim(hosts[i], "[]"))
	}
	return guard{hosts: hosts, token: o.Token, konnect: o.KonnectToken}, nil
}

// admit returns an error for a request that its client may not make. For others it
// reports whether it came with a token.
func (g guard) admit(r *http.Request, konnect bool) (authorised bool, err error) {
	if !g.addressed(r) {
		return false, plainError(http.StatusForbidden, "The Host header names another server; allow it with --admin-host")
	}
	if crossSite(r) {
		return false, plainError(http.StatusForbidden, "Cross-site requests of browsers are refused")
	}
	given := givenToken(r)
	authorised = equal(given, g.token) || konnect && equal(given, g.konnect)
	if !authorised && (konnect || !g.token.IsZero()) {
		return false, plainError(http.StatusUnauthorized, "Unauthorized")
	}
	return authorised, nil
}

// addressed reports whether the Host header names this server. That prevents DNS
// rebinding: a page of another site has that site's name in the header, although the name
// resolves to this server.
func (g guard) addressed(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if slices.Contains(g.hosts, host) {
		return true
	}
	// The address that the client connected to, if the server listens on all of them.
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	ip, err := netip.ParseAddr(host)
	return ok && err == nil && local.AddrPort().Addr().Unmap() == ip.Unmap()
}

// crossSite reports whether a browser sent the request for a page of another site.
func crossSite(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return false
	}
	u, err := url.Parse(origins[0])
	return len(origins) > 1 || err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host)
}

// givenToken returns the token of a request: a bearer token, or Kong's own header.
func givenToken(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if ok && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	return r.Header.Get("Kong-Admin-Token")
}

// equal compares tokens in constant time.
func equal(given string, want wire.Secret) bool {
	if want.IsZero() {
		return false
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
