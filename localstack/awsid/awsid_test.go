package awsid_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

func Example() {
	fmt.Println(awsid.ARN("lambda", "function:hello"))
	fmt.Println(awsid.GlobalARN("iam", "role/hello"))
	fmt.Println(awsid.QueueURL("http://127.0.0.1:4566", "work"))
	fmt.Println(awsid.ShortID("demo/Api", 10))
	// Output:
	// arn:aws:lambda:us-east-1:000000000000:function:hello
	// arn:aws:iam::000000000000:role/hello
	// http://127.0.0.1:4566/000000000000/work
	// zucf3bl45v
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	w.Header().Set("X-Amzn-Requestid", "r")
	awsid.WriteError(w, http.StatusForbidden, "AccessDeniedException", "no")
	h := w.Header()
	if w.Code != http.StatusForbidden || h.Get("Content-Type") != "application/json" || h.Get("X-Amzn-ErrorType") != "AccessDeniedException" ||
		h.Get("X-Amzn-RequestId") != "r" || w.Body.String() != `{"__type":"AccessDeniedException","message":"no"}` {
		t.Errorf("%d %v %s", w.Code, h, w.Body)
	}
	w = httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	awsid.WriteErrorBody(w, http.StatusNotFound, "ResourceNotFoundException", map[string]string{"Message": "none"})
	if h := w.Header(); h.Get("Content-Type") != "application/x-amz-json-1.0" || len(h.Get("X-Amzn-RequestId")) != 36 || w.Body.String() != `{"Message":"none"}` {
		t.Errorf("%d %v %s", w.Code, h, w.Body)
	}
}
