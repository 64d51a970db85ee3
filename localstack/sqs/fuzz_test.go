package sqs_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

// FuzzRequest checks that every request gets an answer in JSON, and none of them an error of the server's own.
func FuzzRequest(f *testing.F) {
	for operation, body := range map[string]string{
		"SendMessage":             `{"QueueUrl":"%s","MessageBody":"a","DelaySeconds":1,"MessageAttributes":{"a":{"DataType":"Binary.x","BinaryValue":"AAE="}}}`,
		"SendMessageBatch":        `{"QueueUrl":"%s","Entries":[{"Id":"a","MessageBody":"b","MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1-a-b"}}}]}`,
		"ReceiveMessage":          `{"QueueUrl":"%s","MaxNumberOfMessages":10,"VisibilityTimeout":0,"AttributeNames":["All"],"MessageAttributeNames":["a.*"]}`,
		"DeleteMessage":           `{"QueueUrl":"%s","ReceiptHandle":"AAAA"}`,
		"ChangeMessageVisibility": `{"QueueUrl":"%s","ReceiptHandle":"AAAA","VisibilityTimeout":43200}`,
		"SetQueueAttributes":      `{"QueueUrl":"%s","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:dead\",\"maxReceiveCount\":1}"}}`,
		"GetQueueAttributes":      `{"QueueUrl":"%s","AttributeNames":["All"]}`,
		"ListQueues":              `{"MaxResults":1,"NextToken":"","QueueNamePrefix":"%s"}`,
		"StartMessageMoveTask":    `{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:dead","DestinationArn":"%s"}`,
		"TagQueue":                `{"QueueUrl":"%s","Tags":{"a":"b"}}`,
		"UntagQueue":              `{"QueueUrl":"%s","TagKeys":["a"]}`,
		"AddPermission":           `{"QueueUrl":"%s","Label":"a","AWSAccountIds":["111122223333"],"Actions":["SendMessage"]}`,
		"RemovePermission":        `{"QueueUrl":"%s","Label":"a"}`,
		"CancelMessageMoveTask":   `{"TaskHandle":"%s"}`,
		"DeleteQueue":             `{"QueueUrl":"%s"}`,
		"CreateQueue":             `{"QueueName":"%s","Attributes":{"DelaySeconds":"900"},"tags":{"a":"b"}}`,
	} {
		f.Add(operation, strings.Replace(body, "%s", url, 1))
	}
	f.Add("ReceiveMessage", `{"QueueUrl":"`+url+`","WaitTimeSeconds":18446744074}`)
	f.Add("SendMessage", `{"QueueUrl":"http://[::1]:namedport/","MessageBody":"\u0001\ud800"}`)
	f.Fuzz(func(t *testing.T, operation, body string) {
		if strings.ContainsAny(operation, "\r\n\x00") || len(body) > 1<<16 || strings.Contains(strings.ToLower(body), "waittime") &&
			!strings.Contains(body, "18446744074") { // a long poll only waits
			return
		}
		s := open(t, "", work(), dead())
		send(t, queue(t, s, "work"), "one", "two")
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %q: %d %s", operation, body, w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %q: the answer %q is not JSON", operation, body, w.Body)
		}
	})
}

// FuzzQuery checks that every request of the query protocol gets an answer in XML that says what was asked, and none an error
// of the server's own.
func FuzzQuery(f *testing.F) {
	files, _ := filepath.Glob("testdata/query/*.txt")
	for _, path := range files {
		requests, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for request := range strings.Lines(string(requests)) {
			if fields := strings.SplitN(strings.TrimSpace(request), " ", 3); len(fields) == 3 && fields[0] == "POST" {
				f.Add(fields[2])
			}
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) > 1<<16 || strings.Contains(strings.ToLower(body), "waittime") { // a long poll only waits
			return
		}
		s := open(t, "", work(), dead())
		send(t, queue(t, s, "work"), "one", "two")
		r := httptest.NewRequest("POST", "/000000000000/work", strings.NewReader(body))
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
		for decoder := xml.NewDecoder(w.Body); ; {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%q: the answer is not XML: %v", body, err)
			}
		}
	})
}

// FuzzJournal checks that every file is a journal or an error that names the line, and that a queue which took it works
// and comes back the same.
func FuzzJournal(f *testing.F) {
	const id = "01890a5d-ac96-774b-bcce-b302099a8057"
	f.Add([]byte(`{"op":"send","message":{"id":"` + id + `","body":"a","trace":"Root=1-a-b","sent":4102444800000}}` + "\n" +
		`{"op":"receive","id":"` + id + `","receives":2,"first":4102444800001}` + "\n"))
	f.Add([]byte(`{"op":"send","message":{"id":"` + id + `","body":"a","sent":4102444800000,"delayed":4102444900000}}` + "\n" +
		`{"op":"delete","id":"` + id + `"}` + "\n" + `{"op":"se`))
	f.Add([]byte(`{"op":"send","message":{"id":"` + id + `","body":"a","receives":-1,"sent":9223372036854775807,"first":-1,"delayed":-9223372036854775808}}` + "\n"))
	f.Add([]byte(`{"op":"send","message":{"id":"` + id + `","body":"a","trace":"Root=1-a-b\u0001","sent":4102444800000}}` + "\n"))
	f.Add([]byte(`{"op":"queue","queue":{"account":"000000000000","region":"us-east-1","name":"work","attributes":{"DelaySeconds":"1"},"tags":{"a":"b"}}}` + "\n" +
		`{"op":"dedup","message":{"id":"` + id + `","dedup":"d","sent":4102444800000}}` + "\n"))
	f.Add([]byte(`{"op":"queue","queue":{"name":"work"}}` + "\n"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, journal []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "work.jsonl"), journal, 0o600); err != nil {
			t.Fatal(err)
		}
		q := spec.Queue{Name: "work", Redrive: &spec.Redrive{DeadLetterARN: arn("dead"), MaxReceiveCount: 1}}
		s, err := sqs.New(sqs.Options{Dir: dir})
		if err != nil {
			if !strings.Contains(err.Error(), "line ") {
				t.Errorf("error %v; want the line", err)
			}
			return
		}
		if err := s.Create(q); err != nil {
			if !strings.Contains(err.Error(), "line ") {
				t.Errorf("error %v; want the line", err)
			}
			must(t, s.Close())
			return
		}
		must(t, s.Create(dead()))
		send(t, queue(t, s, "work"), "new")
		for range 3 {
			for _, m := range receive(t, queue(t, s, "work"), 10) {
				if trace := m.SystemAttributes["AWSTraceHeader"]; trace != "" && !awsid.ValidTrace(trace) {
					t.Errorf("trace header %q", trace)
				}
				if m.Body == "new" {
					must(t, queue(t, s, "work").Delete(m.ReceiptHandle))
				}
			}
		}
		before := total(queue(t, s, "work")) + total(queue(t, s, "dead"))
		must(t, s.Close())
		again, err := sqs.New(sqs.Options{Dir: dir})
		must(t, err)
		must(t, again.Create(q))
		must(t, again.Create(dead()))
		if after := total(queue(t, again, "work")) + total(queue(t, again, "dead")); after > before {
			t.Errorf("%d messages came back as %d", before, after)
		}
		must(t, again.Close())
	})
}

func total(q *sqs.Queue) int {
	c := q.Counts()
	return c.Visible + c.InFlight + c.Delayed
}
