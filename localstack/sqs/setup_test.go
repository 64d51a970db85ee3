package sqs_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.uber.org/goleak"

	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open makes a service with queues; dir may be "".
func open(t testing.TB, dir string, queues ...spec.Queue) *sqs.Service {
	t.Helper()
	service, err := sqs.New(sqs.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, service.Close()) })
	for _, q := range queues {
		must(t, service.Create(q))
	}
	return service
}

// work is a queue with SQS's defaults.
func work() spec.Queue {
	return spec.Queue{Name: "work", VisibilityTimeout: 30 * time.Second}
}

// dead is its dead letter queue, and arn their ARNs.
func dead() spec.Queue {
	return spec.Queue{Name: "dead", VisibilityTimeout: 30 * time.Second}
}

func arn(name string) string { return "arn:aws:sqs:us-east-1:000000000000:" + name }

func queue(t testing.TB, s *sqs.Service, name string) *sqs.Queue {
	t.Helper()
	q, ok := s.Queue(name)
	if !ok {
		t.Fatalf("no queue %s", name)
	}
	return q
}

// client is an SDK client of the service, which looks for it at the server's own address.
func client(t testing.TB, s *sqs.Service) *awssqs.Client {
	t.Helper()
	server := httptest.NewServer(s.Handler())
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	return awssqs.New(awssqs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(credentials), RetryMaxAttempts: 1,
	})
}

func credentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
}

const url = "http://127.0.0.1:4566/000000000000/work"

func send(t testing.TB, q *sqs.Queue, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if _, err := q.Send(t.Context(), sqs.Outgoing{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
}

// receive takes up to max messages without waiting.
func receive(t testing.TB, q *sqs.Queue, max int) []sqs.Message {
	t.Helper()
	messages, err := q.Receive(t.Context(), max, 0)
	must(t, err)
	return messages
}

func bodies(messages []sqs.Message) []string {
	var bodies []string
	for _, m := range messages {
		bodies = append(bodies, m.Body)
	}
	return bodies
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantCode fails unless err is a *sqs.Error with a code.
func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	var refusal *sqs.Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Errorf("error is %v, want %s", err, code)
	}
}

func wantCounts(t testing.TB, q *sqs.Queue, visible, inFlight, delayed int) {
	t.Helper()
	if got, want := q.Counts(), (sqs.Counts{Visible: visible, InFlight: inFlight, Delayed: delayed}); got != want {
		t.Errorf("queue %s has %+v, want %+v", q.Name(), got, want)
	}
}
