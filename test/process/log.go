package process

import (
	"bytes"
	"sync"
)

// Log collects what is written to it, by any goroutine.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Tail returns the end of a log that may be very long.
func (l *Log) Tail() string {
	const most = 8000
	text := l.String()
	if len(text) > most {
		return "…" + text[len(text)-most:]
	}
	return text
}
