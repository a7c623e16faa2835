package harness

import (
	"runtime"
	"strings"
)

// Stacks returns the stacks of all goroutines of this process.
func Stacks() []string {
	for size := 1 << 20; ; size *= 4 {
		buffer := make([]byte, size)
		if n := runtime.Stack(buffer, true); n < size {
			return strings.Split(string(buffer[:n]), "\n\n")
		}
	}
}

// ReadsAccessLog reports whether a goroutine's stack belongs to a stream of Envoy's access
// logs. Each thread of an Envoy opens one for each log with its first entry, and keeps it.
func ReadsAccessLog(stack string) bool {
	return strings.Contains(stack, ".StreamAccessLogs(") || strings.Contains(stack, "server.receiveLogs.")
}

// AccessLogStreams counts those streams in this process.
func AccessLogStreams() int {
	n := 0
	for _, stack := range Stacks() {
		if strings.Contains(stack, ").StreamAccessLogs(") {
			n++
		}
	}
	return n
}
