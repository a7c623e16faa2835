package access

// Reasons of answers.
const (
	CodeNoCredential      = "no_credential"
	CodeInvalidCredential = "invalid_credential"
	CodeNotAllowed        = "consumer_not_allowed"
	CodeAddress           = "address_not_allowed"
	CodeTooLarge          = "request_too_large"
	CodeNoLength          = "length_required"
	CodeTerminated        = "request_terminated"
	CodePreflight         = "preflight" // which is no refusal
)

// Codes are all reasons, for metrics that start at zero.
func Codes() []string {
	return []string{
		CodeNoCredential, CodeInvalidCredential, CodeNotAllowed, CodeAddress, CodeTooLarge, CodeNoLength, CodeTerminated,
		CodePreflight,
	}
}
