package endpoint_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/endpoint"
)

// named is a handler that answers with its own name.
func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
}

func TestDispatch(t *testing.T) {
	t.Parallel()
	handler := endpoint.Handler(named("sqs"), named("lambda"), named("custom"))
	for _, test := range []struct{ method, path, target, want string }{
		{"POST", "/", "AmazonSQS.SendMessage", "sqs"},
		{"POST", "/2015-03-31/functions/", "AmazonSQS.SendMessage", "sqs"},
		{"GET", "/2015-03-31/functions/", "", "lambda"},
		{"PUT", "/cloudformation/response/1", "", "custom"},
		{"POST", "/", "DynamoDB_20120810.GetItem", "not DynamoDB_20120810.GetItem"},
		{"POST", "/2015-03-31/functions/", "DynamoDB_20120810.GetItem", "not DynamoDB_20120810.GetItem"},
		{"GET", "/", "", "not GET /"},
	} {
		r := httptest.NewRequest(test.method, test.path, nil)
		if test.target != "" {
			r.Header.Set("X-Amz-Target", test.target)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		refused := strings.HasPrefix(test.want, "not ")
		if !strings.Contains(w.Body.String(), test.want) || refused != (w.Code == http.StatusNotFound) ||
			refused != (w.Header().Get("X-Amzn-ErrorType") == "UnknownOperationException") {
			t.Errorf("%s %s %s: %d %v %s; want %s", test.method, test.path, test.target, w.Code, w.Header(), w.Body, test.want)
		}
	}
}

// TestQueryDispatch checks that requests of the query protocol reach SQS, and that others get an error in XML.
func TestQueryDispatch(t *testing.T) {
	t.Parallel()
	handler := endpoint.Handler(named("sqs"), named("lambda"), named("custom"))
	for _, test := range []struct{ method, path, service, want string }{
		{"POST", "/", "sqs", "sqs"},
		{"POST", "/", "", "sqs"},
		{"POST", "/000000000000/work", "", "sqs"},
		{"GET", "/?Action=ListQueues", "", "sqs"},
		{"GET", "/000000000000/work", "", "sqs"},
		{"POST", "/", "sts", "<Code>UnknownOperationException</Code><Message>the local stack serves SQS and Lambda&#39;s functions API, not the service sts</Message>"},
	} {
		r := httptest.NewRequest(test.method, test.path, strings.NewReader("Action=ListQueues"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		if test.service != "" {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/"+test.service+"/aws4_request, Signature=00")
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("%s %s for %q: %d %s; want %s", test.method, test.path, test.service, w.Code, w.Body, test.want)
		}
	}
}
