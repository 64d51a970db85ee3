package sqs_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

func TestVisibility(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, open(t, "", work()), "work")
		send(t, q, "a")
		first := receive(t, q, 10)
		if len(first) != 1 || first[0].Body != "a" || first[0].SystemAttributes["ApproximateReceiveCount"] != "1" {
			t.Fatalf("received %+v", first)
		}
		if again := receive(t, q, 10); len(again) != 0 {
			t.Errorf("received %v twice", again)
		}
		wantCounts(t, q, 0, 1, 0)
		<-time.After(30*time.Second - 1)
		wantCounts(t, q, 0, 1, 0)
		<-time.After(1)
		wantCounts(t, q, 1, 0, 0)

		second := receive(t, q, 10)
		if len(second) != 1 || second[0].ID != first[0].ID || second[0].SystemAttributes["ApproximateReceiveCount"] != "2" {
			t.Fatalf("received %+v", second)
		}
		if second[0].SystemAttributes["ApproximateFirstReceiveTimestamp"] != first[0].SystemAttributes["ApproximateFirstReceiveTimestamp"] {
			t.Error("the time of the first receive changed")
		}
		must(t, q.Delete(first[0].ReceiptHandle)) // stale: deletes nothing
		wantCounts(t, q, 0, 1, 0)
		must(t, q.Delete(second[0].ReceiptHandle))
		must(t, q.Delete(second[0].ReceiptHandle)) // gone already
		wantCounts(t, q, 0, 0, 0)
	})
}

func TestDeleteAfterVisibilityEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, open(t, "", work()), "work")
		send(t, q, "a")
		m := receive(t, q, 1)[0]
		<-time.After(time.Minute)
		must(t, q.ChangeVisibility(m.ReceiptHandle, 30*time.Second)) // hides it again
		wantCounts(t, q, 0, 1, 0)
		<-time.After(30 * time.Second)
		wantCounts(t, q, 1, 0, 0)
		must(t, q.Delete(m.ReceiptHandle)) // nobody received it since
		wantCounts(t, q, 0, 0, 0)
	})
}

func TestChangeVisibility(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, open(t, "", work()), "work")
		send(t, q, "a")
		m := receive(t, q, 1)[0]
		must(t, q.ChangeVisibility(m.ReceiptHandle, time.Hour))
		<-time.After(59 * time.Minute)
		wantCounts(t, q, 0, 1, 0)
		wantCode(t, q.ChangeVisibility(m.ReceiptHandle, 12*time.Hour), "InvalidParameterValue") // 12 h in all
		wantCode(t, q.ChangeVisibility(m.ReceiptHandle, 13*time.Hour), "InvalidParameterValue")
		must(t, q.ChangeVisibility(m.ReceiptHandle, 0))
		wantCounts(t, q, 1, 0, 0)
		stale := m
		m = receive(t, q, 1)[0]
		must(t, q.ChangeVisibility(stale.ReceiptHandle, time.Minute)) // an older handle may
		<-time.After(59 * time.Second)
		wantCounts(t, q, 0, 1, 0)
		must(t, q.Delete(m.ReceiptHandle))
		wantCode(t, q.ChangeVisibility(m.ReceiptHandle, 0), "InvalidParameterValue")
	})
}

func TestReceiptHandleOfNobody(t *testing.T) {
	t.Parallel()
	s := open(t, "", work(), dead())
	q := queue(t, s, "work")
	send(t, q, "a")
	handle := receive(t, q, 1)[0].ReceiptHandle
	for _, wrong := range []string{"", "x", "AQEB", handle[1:], "B" + handle[1:]} {
		wantCode(t, q.Delete(wrong), "ReceiptHandleIsInvalid")
		wantCode(t, q.ChangeVisibility(wrong, 0), "ReceiptHandleIsInvalid")
	}
	wantCode(t, queue(t, s, "dead").Delete(handle), "ReceiptHandleIsInvalid") // another queue's
	wantCode(t, q.Delete("x", handle), "ReceiptHandleIsInvalid")
	wantCounts(t, q, 0, 0, 0) // the good one was deleted all the same
}

func TestDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		config := work()
		config.Delay = time.Minute
		q := queue(t, open(t, "", config), "work")
		send(t, q, "queue's delay")
		_, err := q.Send(t.Context(), sqs.Outgoing{Body: "none", Delay: new(time.Duration)})
		must(t, err)
		_, err = q.Send(t.Context(), sqs.Outgoing{Body: "own", Delay: new(15 * time.Minute)})
		must(t, err)
		wantCounts(t, q, 1, 0, 2)
		start := time.Now()
		for _, want := range []struct {
			body  string
			after time.Duration
		}{{"none", 0}, {"queue's delay", time.Minute}, {"own", 15 * time.Minute}} {
			messages, err := q.Receive(t.Context(), 1, time.Hour)
			must(t, err)
			if got := bodies(messages); !slices.Equal(got, []string{want.body}) || time.Since(start) != want.after {
				t.Errorf("received %v after %s, want %q after %s", got, time.Since(start), want.body, want.after)
			}
			must(t, q.Delete(messages[0].ReceiptHandle))
		}
	})
}

func TestLongPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, open(t, "", work()), "work")
		start := time.Now()
		if messages, err := q.Receive(t.Context(), 10, 20*time.Second); len(messages) != 0 || err != nil || time.Since(start) != 20*time.Second {
			t.Errorf("empty poll: %v, %v after %s", messages, err, time.Since(start))
		}

		var polls sync.WaitGroup
		var mu sync.Mutex
		got := map[string]time.Duration{}
		start = time.Now()
		for range 3 {
			polls.Go(func() {
				messages, err := q.Receive(t.Context(), 1, 20*time.Second)
				if err != nil || len(messages) != 1 {
					t.Errorf("poll: %v, %v", messages, err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				got[messages[0].Body] = time.Since(start)
			})
		}
		synctest.Wait()
		<-time.After(5 * time.Second)
		send(t, q, "a", "b")
		<-time.After(time.Second)
		send(t, q, "c")
		polls.Wait()
		if want := fmt.Sprint(map[string]time.Duration{"a": 5 * time.Second, "b": 5 * time.Second, "c": 6 * time.Second}); fmt.Sprint(got) != want {
			t.Errorf("polls got %v, want %s", got, want)
		}
	})
}

func TestLongPollSeesVisibilityEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, open(t, "", work()), "work")
		send(t, q, "a", "b")
		receive(t, q, 1)
		<-time.After(time.Second)
		receive(t, q, 1)
		start := time.Now()
		for range 2 {
			messages, err := q.Receive(t.Context(), 1, time.Hour)
			if err != nil || len(messages) != 1 {
				t.Fatalf("poll: %v, %v", messages, err)
			}
			must(t, q.Delete(messages[0].ReceiptHandle))
		}
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("the second came back after %s", took)
		}
	})
}

func TestLongPollEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "", work())
		q := queue(t, s, "work")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		poll := func(ctx context.Context) {
			messages, err := q.Receive(ctx, 1, time.Hour)
			if len(messages) != 0 {
				t.Errorf("received %v", messages)
			}
			ended <- err
		}
		go poll(ctx)
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("cancelled poll: %v", err)
		}
		send(t, q, "a") // goes to nobody
		wantCounts(t, q, 1, 0, 0)
		must(t, q.Purge())
		go poll(t.Context())
		synctest.Wait()
		must(t, s.Close())
		if err := <-ended; err == nil {
			t.Error("a poll outlives its service")
		}
		if _, err := q.Send(t.Context(), sqs.Outgoing{Body: "b"}); err == nil {
			t.Error("a closed service takes messages")
		}
	})
}

func TestRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		config := work()
		config.Retention = time.Hour
		q := queue(t, open(t, "", config), "work")
		send(t, q, "seen")
		receive(t, q, 1)
		send(t, q, "waiting")
		<-time.After(30 * time.Minute)
		send(t, q, "young")
		<-time.After(30 * time.Minute)
		if got := bodies(receive(t, q, 10)); !slices.Equal(got, []string{"young"}) {
			t.Errorf("received %v", got)
		}
		wantCounts(t, q, 0, 1, 0)
	})
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	s := open(t, "", work())
	for name, config := range map[string]spec.Queue{
		"FIFO":       {Name: "a.fifo"},
		"name":       {Name: "a b"},
		"twice":      {Name: "work"},
		"visibility": {Name: "a", VisibilityTimeout: 13 * time.Hour},
		"delay":      {Name: "a", Delay: time.Hour},
		"wait":       {Name: "a", ReceiveWait: time.Minute},
		"retention":  {Name: "a", Retention: time.Second},
		"size":       {Name: "a", MaximumMessageSize: 1},
		"redrive":    {Name: "a", Redrive: &spec.Redrive{DeadLetterARN: arn("dead")}},
	} {
		if err := s.Create(config); err == nil {
			t.Errorf("%s: created %+v", name, config)
		}
	}
}
