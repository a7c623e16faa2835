package admin

import (
	"context"
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

	"semlb/config"
)

// guard decides who may ask.
type guard struct {
	// hosts are the names that a request may be sent to.
	hosts []string
	// token is asked for everywhere, konnect by Konnect's paths only; empty is none.
	token, konnect config.Secret
}

// newGuard returns the guard of a listen address. Beyond the loopback it must have a
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

// admit refuses a request that its sender may not make, and otherwise reports
// whether it came with a token.
func (g guard) admit(r *http.Request, konnect bool) (authorised bool, refusal *failure) {
	if !g.addressed(r) {
		return false, plainFailure(http.StatusForbidden, "The Host header names another server; allow it with --admin-host")
	}
	if crossSite(r) {
		return false, plainFailure(http.StatusForbidden, "Cross-site requests of browsers are refused")
	}
	given := givenToken(r)
	authorised = equal(given, g.token) || konnect && equal(given, g.konnect)
	if !authorised && (konnect || !g.token.IsZero()) {
		return false, plainFailure(http.StatusUnauthorized, "Unauthorized")
	}
	return authorised, nil
}

// addressed reports whether the Host header names this server. A page of another
// site whose name was made to lead here names that site.
func (g guard) addressed(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if slices.Contains(g.hosts, host) {
		return true
	}
	// The address the connection came to, where the server listens on all of them.
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

// equal compares in a time that does not tell how much of a token is right.
func equal(given string, want config.Secret) bool {
	if want.IsZero() {
		return false
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// slots bounds how many requests are served at once.
type slots chan struct{}

// take waits for a slot; false is that ctx ended first.
func (s slots) take(ctx context.Context) bool {
	select {
	case s <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s slots) free() { <-s }
