package sqs

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Error is a refusal as SQS words it.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html.
type Error struct {
	// Code is the JSON protocol's, such as QueueDoesNotExist.
	Code string
	// Message is for people.
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// errClosed is the answer of a service that was closed.
var errClosed = errors.New("the queue service is closed")

// coral is the name space of errors that are not in SQS's model; their names end with Exception.
const coral = "com.amazon.coral.service#"

// types are the __type of errors that are not com.amazonaws.sqs#Code.
var types = map[string]string{
	codeInvalidValue:     coral + "InvalidParameterValueException",
	codeMissing:          coral + "MissingRequiredParameterException",
	codeUnknownOperation: coral + "UnknownOperationException",
	codeSerialization:    coral + "SerializationException",
	codeInternal:         coral + "InternalFailure",
	codeTimeout:          coral + "RequestTimeoutException",
	codeMissingAction:    coral + "MissingActionException",
	codeInvalidAction:    coral + "InvalidActionException",
	codeMalformed:        coral + "MalformedQueryStringException",
}

const (
	codeInvalidValue     = "InvalidParameterValue"
	codeMissing          = "MissingParameter"
	codeUnknownOperation = "UnknownOperationException"
	codeSerialization    = "SerializationException"
	codeInternal         = "InternalFailure"
	codeTimeout          = "RequestTimeout"
	codeNoQueue          = "QueueDoesNotExist"
	codeNotInflight      = "MessageNotInflight"
	codeBadHandle        = "ReceiptHandleIsInvalid"
	codeUnsupported      = "UnsupportedOperation"
	codeExists           = "QueueNameExists"
	codeAttributeName    = "InvalidAttributeName"
	codeOverLimit        = "OverLimit"
	codePurging          = "PurgeQueueInProgress"
	codeDeleted          = "QueueDeletedRecently"
	codeNoResource       = "ResourceNotFoundException"
	codeMissingAction    = "MissingAction"
	codeInvalidAction    = "InvalidAction"
	codeMalformed        = "MalformedQueryString"
)

// queryCodes are the query protocol's codes where they differ from the JSON protocol's.
var queryCodes = map[string]string{
	codeNoQueue:                    "AWS.SimpleQueueService.NonExistentQueue",
	codeExists:                     "QueueAlreadyExists",
	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":          "AWS.SimpleQueueService.BatchRequestTooLong",
	"EmptyBatchRequest":            "AWS.SimpleQueueService.EmptyBatchRequest",
	"InvalidBatchEntryId":          "AWS.SimpleQueueService.InvalidBatchEntryId",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	codeNotInflight:                "AWS.SimpleQueueService.MessageNotInflight",
	codeUnsupported:                "AWS.SimpleQueueService.UnsupportedOperation",
	codePurging:                    "AWS.SimpleQueueService.PurgeQueueInProgress",
	codeDeleted:                    "AWS.SimpleQueueService.QueueDeletedRecently",
}

// statuses are the HTTP statuses of errors other than 400.
var statuses = map[string]int{
	codeOverLimit:  http.StatusForbidden,
	codePurging:    http.StatusForbidden,
	codeNoResource: http.StatusNotFound,
	codeTimeout:    http.StatusRequestTimeout,
}

// status is the error's HTTP status.
func (e *Error) status() int {
	if status, ok := statuses[e.Code]; ok {
		return status
	}
	return http.StatusBadRequest
}

// typeName is the error's __type on the wire.
func (e *Error) typeName() string {
	if name, ok := types[e.Code]; ok {
		return name
	}
	return "com.amazonaws.sqs#" + e.Code
}

// queryCode is the code that x-amzn-query-error and batch results carry.
func (e *Error) queryCode() string {
	if code, ok := queryCodes[e.Code]; ok {
		return code
	}
	return e.Code
}

// queryMessage is the message in the query protocol, which is another for one error.
func (e *Error) queryMessage() string {
	if e.Code == codeNoQueue {
		return "The specified queue does not exist for this wsdl version."
	}
	return e.Message
}

func invalidValue(format string, args ...any) error {
	return &Error{Code: codeInvalidValue, Message: fmt.Sprintf(format, args...)}
}

// invalidParameter words a value out of range as SQS does.
func invalidParameter(name string, value any, reason string) error {
	return invalidValue("Value %v for parameter %s is invalid. Reason: %s", value, name, reason)
}

// inRange refuses a number of seconds before it becomes a duration, which would overflow.
func inRange(name string, value int, most time.Duration, reason string) error {
	if value < 0 || value > int(most/time.Second) {
		return invalidParameter(name, value, reason)
	}
	return nil
}

// invalidAttribute words a queue attribute's value that is not allowed as SQS does; reason may be "".
func invalidAttribute(name, reason string) error {
	message := "Invalid value for the parameter " + name + "."
	if reason != "" {
		message += " Reason: " + reason
	}
	return &Error{Code: "InvalidAttributeValue", Message: message}
}

func missing(parameter string) error {
	return &Error{Code: codeMissing, Message: "The request must contain the parameter " + parameter + "."}
}

func unsupported(what string) error {
	return &Error{Code: codeUnsupported, Message: "the local stack does not support " + what}
}

func badHandle(handle string) error {
	return &Error{Code: codeBadHandle, Message: fmt.Sprintf("The input receipt handle %q is not a valid receipt handle.", handle)}
}

func noQueue() error {
	return &Error{Code: codeNoQueue, Message: "The specified queue does not exist."}
}
