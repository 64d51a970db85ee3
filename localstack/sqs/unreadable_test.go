package sqs_test

import (
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// TestRequestsThatCannotBeRead checks that each kind of broken body gets its status and a code.
func TestRequestsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	handler := open(t, "", work()).Handler()
	for name, test := range map[string]struct {
		body   io.Reader
		status int
		code   string
	}{
		"cut":       {io.MultiReader(strings.NewReader("{"), iotest.ErrReader(io.ErrUnexpectedEOF)), 400, "SerializationException"},
		"reset":     {iotest.ErrReader(errors.New("connection reset by peer")), 400, "SerializationException"},
		"late":      {iotest.ErrReader(os.ErrDeadlineExceeded), 408, "RequestTimeoutException"},
		"too large": {strings.NewReader(strings.Repeat(" ", 8<<20)), 400, "BatchRequestTooLong"},
	} {
		r := httptest.NewRequest("POST", "/", test.body)
		r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, r); w.Code != test.status || !strings.Contains(w.Body.String(), test.code) {
			t.Errorf("%s: %d %s; want %d %s", name, w.Code, w.Body, test.status, test.code)
		}
	}
}
