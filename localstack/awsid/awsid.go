// Package awsid is the local stack's identity for AWS's clients: region, account, the names made of them, and the form
// of errors.
package awsid

import (
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"net/http"

	"github.com/google/uuid"
)

// The local stack is one account in one region.
const (
	Region  = "us-east-1"
	Account = "000000000000"
)

// ARN returns the name of a resource in the local region and account, such as ARN("lambda", "function:hello"). See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html.
func ARN(service, resource string) string {
	return "arn:aws:" + service + ":" + Region + ":" + Account + ":" + resource
}

// GlobalARN returns the name of a resource of a service without regions, such as iam.
func GlobalARN(service, resource string) string {
	return "arn:aws:" + service + "::" + Account + ":" + resource
}

// QueueURL returns the URL of a queue at an endpoint without a trailing slash.
func QueueURL(endpoint, queue string) string { return endpoint + "/" + Account + "/" + queue }

// ShortID returns an id of digits and small letters, like API Gateway's ids. The same name gives the same id.
func ShortID(name string, length int) string {
	sum := sha256.Sum256([]byte(name))
	return new(big.Int).SetBytes(sum[:]).Text(36)[:length]
}

// NewRequestID returns the id of a request: a random UUID.
func NewRequestID() string { return uuid.NewString() }

// WriteError answers with an error in AWS's JSON protocol. kind is the exception, such as AccessDeniedException. It
// keeps a Content-Type that is already set. See https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html.
func WriteError(w http.ResponseWriter, status int, kind, message string) {
	WriteErrorBody(w, status, kind, map[string]string{"__type": kind, "message": message})
}

// WriteErrorBody is WriteError for services whose error bodies have other members.
func WriteErrorBody(w http.ResponseWriter, status int, kind string, body map[string]string) {
	text, _ := json.Marshal(body) // strings always encode
	h := w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	if h.Get("X-Amzn-Requestid") == "" {
		h.Set("X-Amzn-Requestid", NewRequestID())
	}
	h.Set("X-Amzn-Errortype", kind)
	w.WriteHeader(status)
	_, _ = w.Write(text) // fails if the client is gone
}
