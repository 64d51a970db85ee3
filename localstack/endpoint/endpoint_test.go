package endpoint_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/endpoint"
)

// named answers with its own name.
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
