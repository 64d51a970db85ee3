package sqs

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// serveQuery answers in the query protocol: parameters in the URL and in a form, one of them Action; the answer in XML.
// The path of the request is the queue's, unless a parameter QueueUrl has another.
// See https://smithy.io/2.0/aws/protocols/aws-query-protocol.html.
func (c call) serveQuery(w http.ResponseWriter, r *http.Request) {
	action, answer, err := c.answerQuery(w, r)
	if errors.Is(err, errNoOperation) {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("<UnknownOperationException/>")) // fails when the client has gone away
		return
	}
	if err != nil {
		refusal, status := refusalOf(err)
		awsid.WriteXMLError(w, status, xmlNamespace, refusal.queryCode(), refusal.queryMessage())
		return
	}
	text, id := xmlAnswer(action, answer)
	w.Header().Set("X-Amzn-Requestid", id)
	w.Header().Set("Content-Type", "text/xml")
	_, _ = w.Write(text) // fails when the client has gone away
}

// errNoOperation is a GET of a queue's URL, as a browser sends it. SQS answers with one element.
var errNoOperation = errors.New("the request names no operation")

func (c call) answerQuery(w http.ResponseWriter, r *http.Request) (action string, answer any, err error) {
	parameters, err := queryParameters(w, r)
	if err != nil {
		return "", nil, err
	}
	if action = parameters.Get("Action"); action == "" {
		if r.Method == http.MethodGet {
			return "", nil, errNoOperation
		}
		return "", nil, &Error{Code: codeMissingAction, Message: "The request must contain the parameter Action."}
	}
	if r.URL.Path != "/" && r.URL.Path != "" && !parameters.Has("QueueUrl") {
		parameters.Set("QueueUrl", r.URL.Path)
	}
	f, err := newForm(parameters)
	if err != nil {
		return action, nil, err
	}
	answer, err = c.operate(action, codeInvalidAction, func(request any) error {
		to := reflect.ValueOf(request).Elem()
		if !to.FieldByName("QueueUrl").IsValid() {
			delete(f.members, "QueueUrl") // as a client has that sends all requests to one queue's path
		}
		return f.read(to, "")
	})
	return action, answer, err
}

// queryParameters are the parameters of the URL and of the body.
func queryParameters(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	parameters, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, malformed("the URL's query: %s", err)
	}
	if r.Method != http.MethodPost {
		return parameters, nil
	}
	text, err := body(w, r)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, malformed("the request's form: %s", err)
	}
	for name, values := range form {
		parameters[name] = values
	}
	return parameters, nil
}
