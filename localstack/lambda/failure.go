package lambda

import (
	"encoding/json"
	"strconv"
	"time"
)

// unhandled is what FunctionError and X-Amz-Function-Error say; Lambda has no other value for custom runtimes.
const unhandled = "Unhandled"

// The error types that Lambda itself gives.
const (
	kindTimeout = "Sandbox.Timedout"
	kindExit    = "Runtime.ExitError"
	kindTooBig  = "Function.ResponseSizeTooLarge"
)

// failure is an error that Lambda reports in place of a function.
type failure struct {
	kind  string
	text  string
	after time.Duration // for kindTimeout, in place of text
}

// answer is the failure as the caller of an invocation sees it.
func (f failure) answer(requestID string) *answer {
	a := &answer{failed: true, status: "error", kind: f.kind}
	message := "RequestId: " + requestID + " Error: " + f.text
	if f.kind == kindTimeout {
		a.status = "timeout"
		message = time.Now().UTC().Format("2006-01-02T15:04:05.000Z") + " " + requestID +
			" Task timed out after " + strconv.FormatFloat(f.after.Seconds(), 'f', 2, 64) + " seconds"
	}
	a.line = message
	a.payload = errorJSON(f.kind, message)
	return a
}

// errorJSON is a function's error in the form that runtimes give it.
func errorJSON(kind, message string) []byte {
	text, _ := json.Marshal(struct { // strings always encode
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}{kind, message})
	return text
}
