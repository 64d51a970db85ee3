package sqs_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eragon-mdi/ksu/localstack/sqs"
)

// fifo makes a FIFO queue with more members of CreateQueue's Attributes. It works in a synctest bubble, where no SDK does.
func fifo(t *testing.T, s *sqs.Service, attributes string) *sqs.Queue {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{"QueueName":"f.fifo","Attributes":{"FifoQueue":"true"`+attributes+`}}`))
	r.Header.Set("X-Amz-Target", "AmazonSQS.CreateQueue")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != 200 {
		t.Fatalf("create: %d %s", w.Code, w.Body)
	}
	return queue(t, s, "f.fifo")
}

func sendTo(t *testing.T, q *sqs.Queue, group, dedup, body string) sqs.Sent {
	t.Helper()
	sent, err := q.Send(t.Context(), sqs.Outgoing{Body: body, Group: group, Dedup: dedup})
	must(t, err)
	return sent
}

// TestGroups checks that a group with messages in flight is locked, and that order within it survives failures.
func TestGroups(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := fifo(t, open(t, t.TempDir()), `,"ContentBasedDeduplication":"true"`)
		for _, body := range []string{"a1", "b1", "a2", "b2", "a3"} {
			sendTo(t, q, body[:1], "", body)
		}
		first := receive(t, q, 2)
		if got := bodies(first); !slices.Equal(got, []string{"a1", "a2"}) {
			t.Fatalf("received %v", got)
		}
		if got := bodies(receive(t, q, 1)); !slices.Equal(got, []string{"b1"}) {
			t.Fatalf("received %v", got)
		}
		if got := receive(t, q, 10); len(got) != 0 {
			t.Fatalf("received %v of locked groups", bodies(got))
		}
		wantCounts(t, q, 2, 3, 0)
		must(t, q.Delete(first[0].ReceiptHandle))
		if got := receive(t, q, 10); len(got) != 0 {
			t.Fatalf("received %v of locked groups", bodies(got))
		}
		must(t, q.ChangeVisibility(first[1].ReceiptHandle, 0))
		again := receive(t, q, 10)
		if got := bodies(again); !slices.Equal(got, []string{"a2", "a3"}) {
			t.Fatalf("received %v", got)
		}
		waits := make(chan []string)
		go func() {
			messages, _ := q.Receive(t.Context(), 10, time.Hour)
			waits <- bodies(messages)
		}()
		synctest.Wait()
		<-time.After(30 * time.Second)
		if got := <-waits; !slices.Equal(got, []string{"b1", "b2", "a2", "a3"}) { // a2 is visible again too
			t.Errorf("the poll got %v", got)
		}
		wantCode(t, q.Delete(first[1].ReceiptHandle), "InvalidParameterValue") // an expired handle
		sendTo(t, q, "c", "", "c1")
		m := receive(t, q, 1)
		for range 2 {
			<-time.After(30 * time.Second)
			q.Counts()
		}
		wantCode(t, q.Delete(m[0].ReceiptHandle), "InvalidParameterValue")
		wantCode(t, q.ChangeVisibility(m[0].ReceiptHandle, time.Second), "InvalidParameterValue")
	})
}

// TestDeleteOpensGroup checks that a poll gets the next message of a group when the one before is deleted.
func TestDeleteOpensGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := fifo(t, open(t, ""), "")
		sendTo(t, q, "a", "1", "a1")
		m := receive(t, q, 1)
		sendTo(t, q, "a", "2", "a2")
		start := time.Now()
		waits := make(chan []string)
		go func() {
			messages, _ := q.Receive(t.Context(), 10, time.Hour)
			waits <- bodies(messages)
		}()
		synctest.Wait()
		<-time.After(time.Second)
		must(t, q.Delete(m[0].ReceiptHandle))
		if got := <-waits; !slices.Equal(got, []string{"a2"}) || time.Since(start) != time.Second {
			t.Errorf("the poll got %v after %s", got, time.Since(start))
		}
	})
}

func TestDeduplication(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir)
		q := fifo(t, s, "")
		_, err := q.Send(t.Context(), sqs.Outgoing{Body: "a", Group: "g"})
		wantCode(t, err, "InvalidParameterValue")
		_, err = q.Send(t.Context(), sqs.Outgoing{Body: "a", Dedup: "d"})
		wantCode(t, err, "MissingParameter")
		_, err = q.Send(t.Context(), sqs.Outgoing{Body: "a", Group: "g", Dedup: "d", Delay: new(time.Second)})
		wantCode(t, err, "InvalidParameterValue")
		one := sendTo(t, q, "g", "d", "a")
		two := sendTo(t, q, "h", "d", "b") // one id a queue, whatever the group
		if one.ID != two.ID || one.SequenceNumber != two.SequenceNumber || len(one.SequenceNumber) != 20 {
			t.Errorf("sent %+v and %+v", one, two)
		}
		m := receive(t, q, 10)
		if len(m) != 1 || m[0].SystemAttributes["MessageDeduplicationId"] != "d" || m[0].SystemAttributes["SequenceNumber"] != one.SequenceNumber {
			t.Fatalf("received %+v", m)
		}
		must(t, q.Delete(m[0].ReceiptHandle))
		for range 3 { // a deleted message keeps its id for 5 minutes, over restarts and purges
			if again := sendTo(t, q, "g", "d", "a"); again.ID != one.ID {
				t.Error("sent a duplicate")
			}
			s = restart(t, s, dir)
			q = queue(t, s, "f.fifo")
			must(t, q.Purge())
		}
		<-time.After(5 * time.Minute)
		later := sendTo(t, q, "g", "d", "a")
		if later.ID == one.ID || later.SequenceNumber <= one.SequenceNumber {
			t.Errorf("after 5 minutes: %+v", later)
		}
	})
}

func TestDeduplicationByGroup(t *testing.T) {
	t.Parallel()
	q := fifo(t, open(t, ""), `,"ContentBasedDeduplication":"true","DeduplicationScope":"messageGroup","FifoThroughputLimit":"perMessageGroupId"`)
	one := sendTo(t, q, "g", "", "a")
	if other := sendTo(t, q, "h", "", "a"); other.ID == one.ID {
		t.Error("groups share ids")
	}
	if again := sendTo(t, q, "g", "", "a"); again.ID != one.ID {
		t.Error("sent a duplicate")
	}
}

// TestReceiveAttempt checks that a receive can be repeated, with the same handles, until a message is changed.
func TestReceiveAttempt(t *testing.T) {
	t.Parallel()
	s := open(t, "")
	q := fifo(t, s, "")
	sendTo(t, q, "g", "1", "a")
	sendTo(t, q, "g", "2", "b")
	attempt := func() string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{"QueueUrl":"f.fifo","MaxNumberOfMessages":10,"ReceiveRequestAttemptId":"x"}`))
		r.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w.Body.String()
	}
	first := attempt()
	if again := attempt(); again != first || !strings.Contains(first, `"Body":"b"`) {
		t.Errorf("attempts got %s and %s", first, again)
	}
	_, rest, _ := strings.Cut(first, `"ReceiptHandle":"`)
	handle, _, _ := strings.Cut(rest, `"`)
	must(t, q.ChangeVisibility(handle, time.Minute))
	if again := attempt(); again != "{}" {
		t.Errorf("the attempt got %s", again)
	}
}

// TestRequeuedKeepsPlace checks that a message that becomes visible again is received before younger ones.
func TestRequeuedKeepsPlace(t *testing.T) {
	t.Parallel()
	q := queue(t, open(t, "", work()), "work")
	send(t, q, "1", "2", "3", "4")
	held := receive(t, q, 3)
	for _, i := range []int{2, 0, 1} {
		must(t, q.ChangeVisibility(held[i].ReceiptHandle, 0))
	}
	send(t, q, "5")
	if got := bodies(receive(t, q, 10)); !slices.Equal(got, []string{"1", "2", "3", "4", "5"}) {
		t.Errorf("received %v", got)
	}
}

// TestFairQueue checks that a group with 30 messages in flight, which are more than a tenth, waits behind others.
func TestFairQueue(t *testing.T) {
	t.Parallel()
	q := queue(t, open(t, "", work()), "work")
	sendGroup := func(group string, count int) {
		for i := range count {
			_, err := q.Send(t.Context(), sqs.Outgoing{Body: fmt.Sprint(group, i), Group: group})
			must(t, err)
		}
	}
	sendGroup("noisy", 60)
	for range 3 {
		receive(t, q, 10)
	}
	sendGroup("quiet", 1)
	send(t, q, "alone")
	got := bodies(receive(t, q, 3))
	if !slices.Equal(got, []string{"quiet0", "alone", "noisy30"}) {
		t.Errorf("received %v", got)
	}
	wantCounts(t, q, 29, 33, 0)
}
