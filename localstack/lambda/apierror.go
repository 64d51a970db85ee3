package lambda

import (
	"errors"
	"net/http"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/listen"
)

// Errors in the request of a caller.
var (
	errParameter = errors.New("invalid parameter")
	errContent   = errors.New("invalid request content")
)

// apiError is an error of the API of Lambda.
type apiError struct {
	status  int
	kind    string // of exception
	message string
	reason  string // of a throttle
}

func (s *Service) asAPIError(err error, given string) apiError {
	var throttled *TooManyRequestsError
	var large *PayloadTooLargeError
	switch {
	case errors.Is(err, ErrNotFound):
		arn := given
		if !strings.HasPrefix(given, "arn:") {
			arn = functionARN(given)
		}
		return apiError{http.StatusNotFound, "ResourceNotFoundException", "Function not found: " + arn, ""}
	case errors.As(err, &throttled):
		return apiError{http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.", throttled.Reason}
	case errors.As(err, &large):
		return apiError{http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", large.Error(), ""}
	case errors.Is(err, errContent):
		message := strings.TrimPrefix(err.Error(), errContent.Error()+": ")
		return apiError{listen.BodyStatus(err), "InvalidRequestContentException", message, ""} // 400, or 408 for the time-out
	case errors.Is(err, errParameter):
		return apiError{http.StatusBadRequest, "InvalidParameterValueException", err.Error(), ""}
	default:
		return apiError{http.StatusInternalServerError, "ServiceException", err.Error(), ""}
	}
}

// writeError answers in the REST form of JSON errors. The model of Lambda names the member "Message" for some exceptions
// and "message" for others; SDKs read the one that belongs to the exception.
func writeError(w http.ResponseWriter, e apiError) {
	body := map[string]string{"Type": "User"}
	if e.status >= http.StatusInternalServerError {
		body["Type"] = "Service"
	}
	switch e.kind {
	case "ResourceNotFoundException", "ServiceException":
		body["Message"] = e.message
	default:
		body["message"] = e.message
	}
	if e.reason != "" {
		body["Reason"] = e.reason
		w.Header()["Retry-After"] = []string{"1"}
	}
	awsid.WriteErrorBody(w, e.status, e.kind, body)
}
