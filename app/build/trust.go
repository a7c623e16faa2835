package build

import (
	"crypto/x509"
	"fmt"
	"os"
)

// roots are the authorities of TrustedCA for a server with TLS; nil means the system's. The
// file is read for each such server that is opened.
func (b *Builder) roots(tls bool) (*x509.CertPool, error) {
	if b.options.TrustedCA == "" || !tls {
		return nil, nil
	}
	pem, err := os.ReadFile(b.options.TrustedCA)
	if err != nil {
		return nil, fmt.Errorf("read certificate authorities (--trusted-ca): %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read certificate authorities (--trusted-ca): %s has no certificate in PEM", b.options.TrustedCA)
	}
	return pool, nil
}
