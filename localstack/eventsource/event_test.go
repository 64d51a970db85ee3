package eventsource_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

var update = flag.Bool("update", false, "write the goldens")

func TestEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		traced, err := q.Send(t.Context(), sqs.Outgoing{Body: `{"a":"<b>"}`, TraceHeader: "Root=1-2-3", Attributes: map[string]sqs.Attribute{
			"text": {DataType: "String", StringValue: "ü"}, "number": {DataType: "Number.int", StringValue: "1"},
			"binary": {DataType: "Binary", BinaryValue: []byte{0, 1, 255}},
		}})
		must(t, err)
		plain := send(t, q, 1)
		<-time.After(time.Second)
		f := &function{do: func(context.Context, []byte, string) (string, string, error) { return "", "", nil }}
		start(t, spec.Mapping{MaximumConcurrency: 2}, q, f)
		if f.count() != 1 {
			t.Fatalf("%d invocations", f.calls)
		}
		var typed events.SQSEvent // as functions decode it
		must(t, json.Unmarshal([]byte(f.payloads[0]), &typed))
		if len(typed.Records) != 2 || string(typed.Records[0].MessageAttributes["binary"].BinaryValue) != "\x00\x01\xff" {
			t.Errorf("functions read %+v", typed)
		}
		// Random values get names.
		text := strings.NewReplacer(traced.ID, "MESSAGE-1", plain[0], "MESSAGE-2",
			typed.Records[0].ReceiptHandle, "HANDLE-1", typed.Records[1].ReceiptHandle, "HANDLE-2").Replace(f.payloads[0])
		golden(t, "sqs-event.json", text)
		if f.tracing[0] != "" {
			t.Errorf("a batch of two has the trace %q", f.tracing[0])
		}
	})
}

func TestTraceOfOneMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		_, err := q.Send(t.Context(), sqs.Outgoing{Body: "a", TraceHeader: "Root=1-2-3"})
		must(t, err)
		f := &function{do: work(0)}
		start(t, spec.Mapping{BatchSize: 1, MaximumConcurrency: 2}, q, f)
		if f.count() != 1 || f.tracing[0] != "Root=1-2-3" {
			t.Errorf("traces are %q", f.tracing)
		}
	})
}

// golden compares JSON with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	var value any
	must(t, json.Unmarshal([]byte(text), &value))
	got, err := json.MarshalIndent(value, "", "  ")
	must(t, err)
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.WriteFile(path, append(got, '\n'), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if string(got)+"\n" != string(want) {
		t.Errorf("%s is now\n%s", path, got)
	}
}
