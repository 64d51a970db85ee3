package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/queue"
	"github.com/eragon-mdi/ksu/shared/task"
)

// open returns a sender to a server. It sets environment variables, so its tests are not parallel.
func open(t *testing.T, server *httptest.Server) *queue.SQS {
	t.Helper()
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"} {
		t.Setenv(name, value)
	}
	q, err := queue.Open(t.Context(), server.URL+"/000000000000/tasks")
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// TestEndpoint checks that the SDK's settings name the endpoint, and without them the queue's URL does.
func TestEndpoint(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"MessageId":"m1"}`)
	}))
	defer server.Close()
	elsewhere := "http://" + t.Name() + ".invalid"
	for _, c := range []struct{ endpoint, url string }{{"", server.URL}, {server.URL, elsewhere}} {
		open(t, server)
		t.Setenv("AWS_ENDPOINT_URL", c.endpoint)
		q, err := queue.Open(t.Context(), c.url+"/000000000000/tasks")
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Send(t.Context(), task.Permit{Task: uuid.New()}); err != nil {
			t.Errorf("endpoint %q, queue %s: %v", c.endpoint, c.url, err)
		}
	}
	if _, err := queue.Open(t.Context(), "tasks"); err == nil {
		t.Error("a name is taken for a queue's URL")
	}
}

// TestSendGivesUp checks that a queue that does not answer does not delay the client of a stored task.
func TestSendGivesUp(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the server sees the client leave
		<-r.Context().Done()
	}))
	defer server.Close()
	q := open(t, server)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := q.Send(ctx, task.Permit{}); !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		t.Errorf("Send = %v, the caller's context %v; want a time-out of its own", err, ctx.Err())
	}
}

// TestTraceGoesWithTheMessage checks the trace of sent messages, and messages without one.
func TestTraceGoesWithTheMessage(t *testing.T) {
	type attribute struct{ DataType, StringValue string }
	type sent struct {
		MessageBody             string
		MessageSystemAttributes map[string]attribute
	}
	var got sent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = sent{}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_, _ = w.Write([]byte(`{"MessageId":"m1"}`))
	}))
	defer server.Close()
	q := open(t, server)
	id := uuid.New()
	const header = "Root=1-5e3d83e6-000000000000000000000001;Sampled=1"
	for _, trace := range []string{header, ""} {
		if err := q.Send(logging.WithTrace(t.Context(), trace), task.Permit{Task: id}); err != nil {
			t.Fatal(err)
		}
		if want := `{"id":"` + id.String() + `"}`; got.MessageBody != want { // workers of the older version expect this
			t.Errorf("body %s, want %s", got.MessageBody, want)
		}
		a, has := got.MessageSystemAttributes["AWSTraceHeader"]
		if has != (trace != "") || a.StringValue != trace || has && a.DataType != "String" {
			t.Errorf("with trace %q the message has %+v", trace, got.MessageSystemAttributes)
		}
		if back := queue.Trace(events.SQSMessage{Attributes: map[string]string{"AWSTraceHeader": a.StringValue}}); back != trace {
			t.Errorf("trace %q comes back as %q", trace, back)
		}
	}
}

// TestDelay checks the whole seconds in requests.
func TestDelay(t *testing.T) {
	var got struct{ DelaySeconds int }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.DelaySeconds = 0
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_, _ = w.Write([]byte(`{"MessageId":"m1"}`))
	}))
	defer server.Close()
	q := open(t, server)
	for delay, want := range map[time.Duration]int{
		0: 0, -time.Microsecond: 0, time.Microsecond: 1, 4999 * time.Millisecond: 5, 5 * time.Second: 5, 15 * time.Minute: 900, time.Hour: 900,
	} {
		if err := q.Send(t.Context(), task.Permit{Delay: delay}); err != nil || got.DelaySeconds != want {
			t.Errorf("a delay of %s is %d seconds, %v; want %d", delay, got.DelaySeconds, err, want)
		}
	}
}

func TestWaiting(t *testing.T) {
	answer := `{"Attributes":{"ApproximateNumberOfMessages":"7"}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if target := r.Header.Get("X-Amz-Target"); target != "AmazonSQS.GetQueueAttributes" {
			t.Errorf("asked for %s", target)
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	q := open(t, server)
	if n, err := q.Waiting(t.Context()); n != 7 || err != nil {
		t.Errorf("%d, %v; want 7", n, err)
	}
	answer = `{}`
	if n, err := q.Waiting(t.Context()); err == nil {
		t.Errorf("%d without the attribute; want an error", n)
	}
}

// TestPermitsGoInBatches checks the requests for many permits, and their groups.
func TestPermitsGoInBatches(t *testing.T) {
	type entry struct {
		ID                          string `json:"Id"`
		MessageBody, MessageGroupId string
		DelaySeconds                int
	}
	var batches [][]entry
	answer := `{"Successful":[]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var got struct{ Entries []entry }
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		batches = append(batches, got.Entries)
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	q := open(t, server)
	permits := make([]task.Permit, 12)
	permits[1] = task.Permit{FairnessKey: "key-1", Delay: time.Minute}
	permits[2] = task.Permit{FairnessKey: "a key, which SQS does not take"}
	permits[3] = task.Permit{FairnessKey: strings.Repeat("x", 129)}
	if err := q.Send(t.Context(), permits...); err != nil {
		t.Fatal(err)
	}
	if len(batches) != 2 || len(batches[0]) != 10 || len(batches[1]) != 2 {
		t.Fatalf("requests %+v, want 10 and 2 permits", batches)
	}
	first := batches[0]
	if first[0] != (entry{ID: "0", MessageBody: "{}"}) || first[1] != (entry{ID: "1", MessageBody: "{}", MessageGroupId: "key-1", DelaySeconds: 60}) {
		t.Errorf("permits %+v", first[:2])
	}
	for _, e := range first[2:4] {
		if len(e.MessageGroupId) != 64 {
			t.Errorf("group %q, want a hash", e.MessageGroupId)
		}
	}
	answer = `{"Failed":[{"Id":"1","Code":"InternalError","Message":"injected","SenderFault":false}]}`
	if err := q.Send(t.Context(), permits[:2]...); err == nil || !strings.Contains(err.Error(), "InternalError: injected") {
		t.Errorf("Send = %v, want the error of the one that failed", err)
	}
	batches = nil
	if err := q.Send(t.Context()); err != nil || batches != nil {
		t.Errorf("no permit is sent as %+v, %v", batches, err)
	}
}
