package console

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestInvoked(t *testing.T) {
	t.Parallel()
	const id = "01890a5d-ac96-774b-bcce-b302099a8057"
	sqs := `{"Records":[{"eventSource":"aws:sqs"},{"eventSource":"aws:sqs"}]}`
	for _, test := range []struct {
		in, out string
		failed  bool
		took    time.Duration
		want    string
	}{
		{`{"httpMethod":"POST","path":"/items"}`, `{"statusCode":201}`, false, 12345 * time.Microsecond, "POST /items 201 12ms"},
		{`{"httpMethod":"GET","path":"/items/` + id + `/status"}`, `{"statusCode":404}`, false, 999 * time.Millisecond, "GET /items/01890a5d-ac96-774…bcce-b302099a8057/status 404 999ms"},
		{`{"version":"2.0","requestContext":{"http":{"method":"GET","path":"/v2"}}}`, `{"statusCode":500}`, false, time.Millisecond, "GET /v2 500 1ms"},
		{`{"version":"2.0","requestContext":{"http":{"method":"GET","path":"/v2"}}}`, `"text"`, false, time.Millisecond, "GET /v2 ok 1ms"},
		{`{"httpMethod":"GET","path":"/"}`, `[]`, false, time.Second, "GET / malformed answer 1s"},
		{`{"httpMethod":"GET","path":"/"}`, `{"errorType":"Sandbox.Timedout"}`, true, 29 * time.Second, "GET / failed: Sandbox.Timedout 29s"},
		{sqs, `{"batchItemFailures":[]}`, false, 4123 * time.Millisecond, "2 messages ok 4.1s"},
		{sqs, `{"batchItemFailures":[{"itemIdentifier":"1"}]}`, false, 70 * time.Second, "2 messages 1 not done 1m10s"},
		{`{"Records":[{"eventSource":"aws:sqs"}]}`, `null`, false, 0, "1 message ok 0s"},
		{`{"source":"aws.events"}`, `null`, false, time.Second, ""},
		{`{"source":"aws.events"}`, `not JSON`, true, time.Second, "schedule failed 1s"},
		{`{"RequestType":"Create","LogicalResourceId":"R"}`, `{}`, false, time.Second, ""},
		{`{"path":7}`, `{}`, false, time.Second, "invocation ok 1s"},
		{`[1]`, ``, false, time.Second, "invocation ok 1s"},
	} {
		c, out := formatting(Options{})
		c.Invoked("Cleaner", []byte(test.in), []byte(test.out), test.failed, test.took)
		want := ""
		if test.want != "" {
			want = "03:04:05 Cleaner " + test.want + "\n"
		}
		if out.String() != want {
			t.Errorf("%s\nis shown as %q, want %q", test.in, out, want)
		}
		if columns := len([]rune(strings.TrimSuffix(out.String(), "\n"))); columns > 80 {
			t.Errorf("%q has %d columns", out, columns)
		}
	}
	c, out := formatting(Options{Level: slog.LevelDebug})
	c.Invoked("Cleaner", []byte(`{"source":"aws.events"}`), []byte(`{}`), false, time.Second)
	if want := "03:04:05 Cleaner schedule ok 1s\n"; out.String() != want {
		t.Errorf("in detail %q, want %q", out, want)
	}
}
