package access

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"semlb/config"
)

// acl allows or denies the consumers of some groups.
type acl struct{ *config.ACL }

func (a acl) check(_ *Request, v *visit) *Refusal {
	groups := v.judgedGroups(a.ACL)
	if v.Consumer == "" && len(groups) == 0 || len(a.Allow) > 0 && len(groups) == 0 {
		return v.stranger()
	}
	listed := func(list []string) bool {
		return slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(list, g) })
	}
	if len(a.Deny) > 0 && listed(a.Deny) || len(a.Allow) > 0 && !listed(a.Allow) {
		return denied()
	}
	return nil
}

// judgedGroups are those that a consumer is judged by: the groups that the listener names for a
// client without a credential, or always if the settings say so, else the consumer's own.
func (v *visit) judgedGroups(s *config.ACL) []string {
	if v.Groups != nil && (!v.credential || s.AuthenticatedGroups) {
		return v.Groups
	}
	groups := v.gate.groups[v.Consumer]
	if s.IncludeConsumerGroups {
		groups = slices.Concat(groups, v.gate.consumerGroups[v.Consumer], v.Groups)
	}
	return groups
}

// stranger refuses a client without groups: Kong distinguishes those that could send a
// credential.
func (v *visit) stranger() *Refusal {
	if v.credential {
		return denied()
	}
	return unauthorized(CodeNoCredential, "Unauthorized", "")
}

func denied() *Refusal {
	return &Refusal{Status: http.StatusForbidden, Code: CodeNotAllowed, Message: "You cannot consume this service"}
}

// addresses allow or deny the addresses of clients.
type addresses struct {
	*config.IPRestriction
	allow, deny []netip.Prefix
}

func newAddresses(s *config.IPRestriction) guard {
	return addresses{s, networks(s.Allow), networks(s.Deny)}
}

// networks reads addresses and networks, which were checked.
func networks(texts []string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		if network, err := netip.ParsePrefix(text); err == nil {
			all = append(all, network.Masked())
		} else if address, err := netip.ParseAddr(text); err == nil {
			address = address.Unmap()
			all = append(all, netip.PrefixFrom(address, address.BitLen()))
		}
	}
	return all
}

func (a addresses) check(r *Request, _ *visit) *Refusal {
	client := r.Client.Unmap().WithZone("")
	if !client.IsValid() {
		return &Refusal{Status: http.StatusForbidden, Code: CodeAddress, Message: "Cannot identify the client IP address"}
	}
	within := func(list []netip.Prefix) bool {
		return slices.ContainsFunc(list, func(n netip.Prefix) bool { return n.Contains(client) })
	}
	if within(a.deny) || len(a.Allow) > 0 && !within(a.allow) {
		return &Refusal{
			Status: cmp.Or(a.Status, http.StatusForbidden), Code: CodeAddress,
			Message: cmp.Or(a.Message, "IP address not allowed: "+client.String()),
		}
	}
	return nil
}

// size limits the length of bodies.
type size struct{ *config.RequestSizeLimiting }

func (s size) check(r *Request, v *visit) *Refusal {
	limit := s.Bytes()
	v.BodyLimit = &limit
	length, err := strconv.ParseInt(first(r.Header("content-length")), 10, 64)
	switch {
	case err == nil && length > limit:
		if strings.EqualFold(strings.TrimSpace(first(r.Header("expect"))), "100-continue") {
			return &Refusal{Status: http.StatusExpectationFailed, Code: CodeTooLarge, Message: TooLarge}
		}
		return &Refusal{Status: http.StatusRequestEntityTooLarge, Code: CodeTooLarge, Message: TooLarge}
	case err != nil && s.RequireContentLength && !r.Bodiless && !slices.Contains(r.Header("transfer-encoding"), "chunked"):
		return &Refusal{Status: http.StatusLengthRequired, Code: CodeNoLength, Message: "A valid Content-Length header is required"}
	default:
		return nil
	}
}

// TooLarge is the message of a refusal with [CodeTooLarge].
const TooLarge = "Request size limit exceeded"

// termination answers requests.
type termination struct{ *config.RequestTermination }

func (t termination) check(r *Request, v *visit) *Refusal {
	if t.Trigger != "" && len(r.Header(strings.ToLower(t.Trigger))) == 0 && !v.query(r).Has(t.Trigger) {
		return nil
	}
	refusal := &Refusal{Status: t.StatusCode, Code: CodeTerminated, Message: cmp.Or(t.Message, http.StatusText(t.StatusCode))}
	if t.Body != "" {
		refusal.Body = []byte(t.Body)
		refusal.ContentType = cmp.Or(t.ContentType, "application/json; charset=utf-8")
	}
	return refusal
}
