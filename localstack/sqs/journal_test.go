package sqs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

// restart closes a service and opens its folder again.
func restart(t *testing.T, s *sqs.Service, dir string, queues ...spec.Queue) *sqs.Service {
	t.Helper()
	must(t, s.Close())
	return open(t, dir, queues...)
}

func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, work())
	q := queue(t, s, "work")
	attributes := map[string]sqs.Attribute{"n": {DataType: "Number", StringValue: "1"}, "b": {DataType: "Binary", BinaryValue: []byte{0, 255}}}
	for _, body := range []string{"deleted", "held", "waiting <\u2028> \"ü\""} {
		_, err := q.Send(t.Context(), sqs.Outgoing{Body: body, Attributes: attributes, TraceHeader: "Root=1-2-3"})
		must(t, err)
	}
	_, err := q.Send(t.Context(), sqs.Outgoing{Body: "delayed", Delay: new(15 * time.Minute)})
	must(t, err)
	before := receive(t, q, 2)
	must(t, q.Delete(before[0].ReceiptHandle))

	s = restart(t, s, dir, work())
	q = queue(t, s, "work")
	wantCounts(t, q, 2, 0, 1)
	after := receive(t, q, 10)
	if got := bodies(after); !slices.Equal(got, []string{"held", "waiting <\u2028> \"ü\""}) {
		t.Fatalf("after the restart there are %q", got)
	}
	held := after[0]
	if held.ID != before[1].ID || held.SystemAttributes["ApproximateReceiveCount"] != "2" || held.MD5OfBody != before[1].MD5OfBody ||
		held.SystemAttributes["AWSTraceHeader"] != "Root=1-2-3" || fmt.Sprint(held.Attributes) != fmt.Sprint(attributes) ||
		held.SystemAttributes["ApproximateFirstReceiveTimestamp"] != before[1].SystemAttributes["ApproximateFirstReceiveTimestamp"] {
		t.Errorf("held message is %+v, was %+v", held, before[1])
	}

	must(t, q.Purge())
	q = queue(t, restart(t, s, dir, work()), "work")
	wantCounts(t, q, 0, 0, 0)
}

func TestRestartAfterRedrive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := withDeadLetters()
	config.VisibilityTimeout = 0
	s := open(t, dir, config, dead())
	send(t, queue(t, s, "work"), "poison")
	for range 3 {
		receive(t, queue(t, s, "work"), 1)
	}
	s = restart(t, s, dir, config, dead())
	wantCounts(t, queue(t, s, "work"), 0, 0, 0)
	if m := receive(t, queue(t, s, "dead"), 1); len(m) != 1 || m[0].SystemAttributes["DeadLetterQueueSourceArn"] != arn("work") {
		t.Errorf("dead letter is %+v", m)
	}
}

func TestTornJournal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, work())
	send(t, queue(t, s, "work"), "a", "b")
	must(t, s.Close())
	path := filepath.Join(dir, "work.jsonl")
	whole, err := os.ReadFile(path)
	must(t, err)
	second := slices.Index(whole, '\n') + 1
	for cut := second; cut < len(whole); cut += 17 {
		must(t, os.WriteFile(path, whole[:cut], 0o644))
		s := open(t, dir, work())
		q := queue(t, s, "work")
		wantCounts(t, q, 1, 0, 0)
		send(t, q, "c") // after the cut, on a line of its own
		s = restart(t, s, dir, work())
		if got := bodies(receive(t, queue(t, s, "work"), 10)); !slices.Equal(got, []string{"a", "c"}) {
			t.Fatalf("cut at %d: %q", cut, got)
		}
		must(t, s.Close())
	}
}

func TestDamagedJournal(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"not JSON":    "what?\n",
		"no message":  `{"op":"send"}` + "\n",
		"no id":       `{"op":"send","message":{"id":"x","body":"y"}}` + "\n",
		"unknown op":  `{"op":"rewind"}` + "\n",
		"no dedup":    `{"op":"dedup"}` + "\n",
		"no queue":    `{"op":"queue"}` + "\n",
		"half inside": `{"op":"send","mess` + "\n",
	} {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, "work.jsonl"), []byte(damage+`{"op":"delete","id":"x"}`+"\n"), 0o644))
		err := open(t, dir).Create(work())
		if err == nil || !strings.Contains(err.Error(), "work.jsonl, line 1") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestCompaction(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, work())
	q := queue(t, s, "work")
	send(t, q, "kept")
	for range 12_000 {
		send(t, q, "passing")
		m := receive(t, q, 2)
		for _, m := range m {
			if m.Body == "passing" {
				must(t, q.Delete(m.ReceiptHandle))
			}
		}
	}
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "work.jsonl"))
		must(t, err)
		return info.Size()
	}
	if size() > 4<<20 {
		t.Errorf("the journal has %d bytes for one message", size())
	}
	s = restart(t, s, dir, work())
	q = queue(t, s, "work")
	if got := receive(t, q, 10); len(got) != 1 || got[0].Body != "kept" || got[0].SystemAttributes["ApproximateReceiveCount"] != "2" {
		t.Errorf("after compaction there are %+v", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(left) > 0 {
		t.Errorf("compaction left %v", left)
	}
}
