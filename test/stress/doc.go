// Package stress sends thousands of planned requests at once, over HTTP/1 and HTTP/2, to
// targets that fail in every way, and compares all that targets and clients get. STRESS is
// the number of requests, STRESS_SEED what they follow from.
package stress
