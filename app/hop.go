package app

import "fmt"

// longestSocket is how long the path of a Unix socket may be (unix(7), without the
// byte that ends it).
const longestSocket = 107

// CheckHopSocket finds a path of the inner listener's socket that cannot be one.
func CheckHopSocket(path string) error {
	if path == "" || len(path) > longestSocket {
		return fmt.Errorf("--hop uds: got the socket path %q, want 1 to %d bytes", path, longestSocket)
	}
	return nil
}
