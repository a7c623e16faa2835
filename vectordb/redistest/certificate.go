package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certify creates an authority and a certificate that it has signed, and returns the
// server's arguments for them.
func (s *Server) certify() []string {
	s.tb.Helper()
	authority, authorityKey := newCertificate(s.tb, &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "redistest authority"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}, nil, nil)
	leaf, leafKey := newCertificate(s.tb, &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "redistest server"},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.ParseIP(s.Host)},
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, authority, authorityKey)
	key, err := x509.MarshalECPrivateKey(leafKey)
	if err != nil {
		s.tb.Fatalf("marshal key: %v", err)
	}
	s.RootCAs = x509.NewCertPool()
	s.RootCAs.AddCert(authority)
	s.secure = &tls.Config{RootCAs: s.RootCAs, MinVersion: tls.VersionTLS12}
	return []string{
		"--tls-auth-clients", "no",
		"--tls-ca-cert-file", writePEM(s.tb, "CERTIFICATE", authority.Raw),
		"--tls-cert-file", writePEM(s.tb, "CERTIFICATE", leaf.Raw),
		"--tls-key-file", writePEM(s.tb, "EC PRIVATE KEY", key),
	}
}

// newCertificate signs a template with the parent's key, or with its own if there
// is no parent.
func newCertificate(tb testing.TB, template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatalf("generate key: %v", err)
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(24 * time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		tb.Fatalf("create certificate: %v", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatalf("parse certificate: %v", err)
	}
	return certificate, key
}

func writePEM(tb testing.TB, kind string, der []byte) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "file.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		tb.Fatalf("write certificate: %v", err)
	}
	return file
}
