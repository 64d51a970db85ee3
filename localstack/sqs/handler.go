package sqs

import (
	"context"
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

// operation answers one kind of request; read fills in the request.
type operation func(c call, read func(request any) error) (any, error)

// call is the part of a request that all operations know.
type call struct {
	*Service
	ctx    context.Context
	header http.Header
	caller awsid.Caller
}

// operations are what the protocol serves, by the part of X-Amz-Target behind AmazonSQS.
var operations = map[string]operation{
	"AddPermission":                decode(call.addPermission),
	"RemovePermission":             decode(call.removePermission),
	"TagQueue":                     decode(call.tagQueue),
	"UntagQueue":                   decode(call.untagQueue),
	"DeleteQueue":                  decode(call.deleteQueue),
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

// decode makes an operation of a function from its request to its answer.
func decode[In, Out any](f func(call, In) (Out, error)) operation {
	return func(c call, read func(any) error) (any, error) {
		var in In
		if err := read(&in); err != nil {
			return nil, err
		}
		return f(c, in)
	}
}

// Handler serves SQS's two protocols: AWS JSON 1.0, a POST with X-Amz-Target AmazonSQS.{Operation}, and the older query
// protocol with a parameter Action and answers in XML. Signatures are not checked.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests.html.
func (s *Service) Handler() http.Handler { return http.HandlerFunc(s.serveHTTP) }

func (s *Service) serveHTTP(w http.ResponseWriter, r *http.Request) {
	c := call{Service: s, ctx: r.Context(), header: r.Header, caller: awsid.CallerOf(r)}
	if r.Header.Get("X-Amz-Target") != "" {
		c.serveJSON(w, r)
		return
	}
	c.serveQuery(w, r)
}

// operate does an operation by its name.
func (c call) operate(name, unknown string, read func(any) error) (any, error) {
	operate, ok := operations[name]
	if !ok {
		return nil, &Error{Code: unknown, Message: fmt.Sprintf("The action %s is not valid for this endpoint.", name)}
	}
	return operate(c, read)
}

// body reads the request's body.
func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return nil, unreadable(err)
	}
	return body, nil
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

// refusalOf is the error as SQS words it. An error of the server's own is InternalFailure with status 500, on which SDKs
// try again.
func refusalOf(err error) (refusal *Error, status int) {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal, refusal.status()
	}
	return &Error{Code: codeInternal, Message: err.Error()}, http.StatusInternalServerError
}

// byURL finds a queue by the path of its URL, whatever the host: the same endpoint has several names. A name alone is the
// caller's queue. The URL does not tell the region: the caller's has precedence over the template's.
func (c call) byURL(queueURL string) (*Queue, error) {
	if queueURL == "" {
		return nil, missing("QueueUrl")
	}
	key := queueKey{account: c.caller.Account, region: c.caller.Region, name: queueURL}
	if strings.Contains(queueURL, "/") {
		u, err := url.Parse(queueURL)
		if err != nil {
			return nil, invalidAddress(queueURL)
		}
		var ok bool
		if key.account, key.name, ok = strings.Cut(strings.Trim(u.Path, "/"), "/"); !ok {
			return nil, invalidAddress(queueURL)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if q, ok := c.queues[key]; ok {
		return q, nil
	}
	key.region = awsid.Region
	if q, ok := c.queues[key]; ok {
		return q, nil
	}
	return nil, noQueue()
}

func invalidAddress(queueURL string) error {
	return &Error{Code: "InvalidAddress", Message: fmt.Sprintf("The address %s is not valid for this endpoint.", queueURL)}
}
