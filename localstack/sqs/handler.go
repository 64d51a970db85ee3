package sqs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/listen"
)

// maxRequest is the most bytes of a request: a batch of MaxMessageSize, each byte of which may be written \u00xx.
const maxRequest = 7 * MaxMessageSize

// operation answers one kind of request; body is the request's JSON.
type operation func(call, []byte) (any, error)

// call is what an operation knows of its request.
type call struct {
	*Service
	ctx    context.Context
	header http.Header
}

// operations are what the protocol serves, by the part of X-Amz-Target behind AmazonSQS.
var operations = map[string]operation{
	"CreateQueue":                  decode(call.createQueue),
	"GetQueueUrl":                  decode(call.getQueueURL),
	"ListQueues":                   decode(call.listQueues),
	"GetQueueAttributes":           decode(call.getQueueAttributes),
	"SetQueueAttributes":           decode(call.setQueueAttributes),
	"SendMessage":                  decode(call.sendMessage),
	"SendMessageBatch":             decode(call.sendMessageBatch),
	"ReceiveMessage":               decode(call.receiveMessage),
	"DeleteMessage":                decode(call.deleteMessage),
	"DeleteMessageBatch":           decode(call.deleteMessageBatch),
	"ChangeMessageVisibility":      decode(call.changeMessageVisibility),
	"ChangeMessageVisibilityBatch": decode(call.changeMessageVisibilityBatch),
	"PurgeQueue":                   decode(call.purgeQueue),
	"ListDeadLetterSourceQueues":   decode(call.listDeadLetterSourceQueues),
	"StartMessageMoveTask":         decode(call.startMessageMoveTask),
	"ListMessageMoveTasks":         decode(call.listMessageMoveTasks),
	"CancelMessageMoveTask":        decode(call.cancelMessageMoveTask),
	"ListQueueTags":                decode(call.listQueueTags),
}

// others are the operations that SQS has and this package refuses.
var others = map[string]bool{"AddPermission": true, "DeleteQueue": true, "RemovePermission": true, "TagQueue": true, "UntagQueue": true}

// decode makes an operation of a function from its request to its answer. A member that the request type lacks is
// refused by name.
func decode[In, Out any](f func(call, In) (Out, error)) operation {
	return func(c call, body []byte) (any, error) {
		var in In
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&in)
		if err == nil {
			_, err = decoder.Token() // io.EOF at the end
		}
		if err == nil {
			err = errors.New("the request has more than one JSON value")
		}
		if err != io.EOF {
			if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
				return nil, unsupported("the parameter " + name)
			}
			return nil, &Error{Code: codeSerialization, Message: err.Error()}
		}
		return f(c, in)
	}
}

// Handler serves SQS's AWS JSON 1.0 protocol: POST with X-Amz-Target AmazonSQS.{Operation}. Signatures are not checked.
// See https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html.
func (s *Service) Handler() http.Handler { return http.HandlerFunc(s.serveHTTP) }

func (s *Service) serveHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := s.answer(w, r)
	w.Header().Set("X-Amzn-Requestid", awsid.NewRequestID())
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if err != nil {
		writeError(w, err)
		return
	}
	body, err := json.Marshal(answer)
	if err != nil {
		writeError(w, fmt.Errorf("encode answer: %w", err))
		return
	}
	_, _ = w.Write(body)
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request) (any, error) {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if !ok || r.Method != http.MethodPost {
		return nil, &Error{Code: codeUnknownOperation, Message: "SQS's JSON protocol is a POST with a header X-Amz-Target: AmazonSQS.{Operation}. " +
			"SDKs from before November 2023 speak the query protocol, which the local stack does not."}
	}
	operate, ok := operations[name]
	if !ok && others[name] {
		return nil, unsupported("the operation " + name)
	}
	if !ok {
		return nil, &Error{Code: codeUnknownOperation, Message: fmt.Sprintf("SQS has no operation %q.", name)}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return nil, unreadable(err)
	}
	return operate(call{Service: s, ctx: r.Context(), header: r.Header}, body)
}

// unreadable is the refusal of a request whose body cannot be read.
func unreadable(err error) error {
	switch listen.BodyStatus(err) {
	case http.StatusRequestEntityTooLarge:
		return &Error{Code: "BatchRequestTooLong", Message: fmt.Sprintf("The request has more than %d bytes.", maxRequest)}
	case http.StatusRequestTimeout:
		return &Error{Code: codeTimeout, Message: "The request's body did not arrive in time."}
	}
	return &Error{Code: codeSerialization, Message: "read request: " + err.Error()}
}

// writeError answers 400, or 408 for a time-out, to what the client did wrong, else 500, on which SDKs try again.
func writeError(w http.ResponseWriter, err error) {
	status, fault := http.StatusBadRequest, "Sender"
	refusal, ok := errors.AsType[*Error](err)
	if !ok {
		status, fault = http.StatusInternalServerError, "Receiver"
		refusal = &Error{Code: codeInternal, Message: err.Error()}
	}
	if refusal.Code == codeTimeout {
		status = http.StatusRequestTimeout
	}
	w.Header().Set("X-Amzn-Query-Error", refusal.queryCode()+";"+fault)
	awsid.WriteError(w, status, refusal.typeName(), refusal.Message)
}

// byURL finds a queue by the path of its URL, whatever the host: the same endpoint has several names.
func (s *Service) byURL(queueURL string) (*Queue, error) {
	if queueURL == "" {
		return nil, missing("QueueUrl")
	}
	u, err := url.Parse(queueURL)
	if err != nil {
		return nil, invalidAddress(queueURL)
	}
	account, name, ok := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if !ok {
		return nil, invalidAddress(queueURL)
	}
	q, ok := s.Queue(name)
	if !ok || account != awsid.Account {
		return nil, noQueue()
	}
	return q, nil
}

func invalidAddress(queueURL string) error {
	return &Error{Code: "InvalidAddress", Message: fmt.Sprintf("The address %s is not valid for this endpoint.", queueURL)}
}
