package build

import (
	"crypto/x509"
	"fmt"

	"semlb/config/regular"
)

// maxTrust bounds a file of certificate authorities in bytes. Those of the public ones have a
// quarter of a megabyte.
const maxTrust = 16 << 20

// roots are the authorities of TrustedCA for a server with TLS; nil means the system's. The
// file is read for each such server that is opened.
func (b *Builder) roots(tls bool) (*x509.CertPool, error) {
	if b.options.TrustedCA == "" || !tls {
		return nil, nil
	}
	pem, err := regular.Read(b.options.TrustedCA, maxTrust)
	if err == nil && len(pem) > maxTrust {
		err = fmt.Errorf("%s: more than %d bytes", b.options.TrustedCA, maxTrust)
	}
	if err != nil {
		return nil, fmt.Errorf("read certificate authorities (--trusted-ca): %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read certificate authorities (--trusted-ca): %s has no certificate in PEM", b.options.TrustedCA)
	}
	return pool, nil
}
