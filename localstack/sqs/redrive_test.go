package sqs_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

// withDeadLetters is a queue whose messages are received twice at most.
func withDeadLetters() spec.Queue {
	config := work()
	config.Redrive = &spec.Redrive{DeadLetterARN: arn("dead"), MaxReceiveCount: 2}
	return config
}

func TestRedrive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "", withDeadLetters(), dead())
		q, d := queue(t, s, "work"), queue(t, s, "dead")
		send(t, q, "poison")
		got := make(chan []sqs.Message, 1)
		go func() {
			messages, _ := d.Receive(t.Context(), 1, time.Hour) // somebody waits at the dead letter queue
			got <- messages
		}()
		var last sqs.Message
		for range 2 {
			last = receive(t, q, 1)[0]
			<-time.After(30 * time.Second)
		}
		send(t, q, "good")
		if got := bodies(receive(t, q, 10)); len(got) != 1 || got[0] != "good" {
			t.Errorf("received %v", got)
		}
		messages := <-got
		if len(messages) != 1 {
			t.Fatal("nothing at the dead letter queue")
		}
		m := messages[0]
		if m.ID != last.ID || m.SystemAttributes["SentTimestamp"] != last.SystemAttributes["SentTimestamp"] ||
			m.SystemAttributes["ApproximateReceiveCount"] != "3" || m.SystemAttributes["DeadLetterQueueSourceArn"] != arn("work") {
			t.Errorf("dead letter is %+v", m)
		}
		must(t, q.Delete(last.ReceiptHandle)) // finds nothing
		wantCounts(t, d, 0, 1, 0)
	})
}

func TestRedriveWithoutTarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, open(t, "", withDeadLetters()), "work")
		send(t, q, "a")
		for range 5 {
			if len(receive(t, q, 1)) != 1 {
				t.Fatal("the message is gone")
			}
			<-time.After(30 * time.Second)
		}
	})
}

func TestMoveMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "", withDeadLetters(), dead())
		q, d := queue(t, s, "work"), queue(t, s, "dead")
		send(t, q, "a", "b")
		ids := map[string]bool{}
		for range 2 {
			for _, m := range receive(t, q, 10) {
				ids[m.ID] = true
			}
			<-time.After(30 * time.Second)
		}
		if len(receive(t, q, 10)) != 0 {
			t.Fatal("received more often than allowed")
		}
		wantCounts(t, d, 2, 0, 0)

		if _, err := s.MoveMessages(arn("dead"), "", 0); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, d, 0, 0, 0)
		messages := receive(t, q, 10)
		if len(messages) != 2 {
			t.Fatalf("received %v", bodies(messages))
		}
		for _, m := range messages {
			if ids[m.ID] || m.SystemAttributes["ApproximateReceiveCount"] != "1" {
				t.Errorf("message %+v is not a new one", m)
			}
		}

		_, err := s.MoveMessages(arn("work"), "", 0)
		wantCode(t, err, "InvalidParameterValue") // no dead letter queue
		_, err = s.MoveMessages(arn("nowhere"), "", 0)
		wantCode(t, err, "ResourceNotFoundException")
		_, err = s.MoveMessages(arn("dead"), arn("nowhere"), 0)
		wantCode(t, err, "ResourceNotFoundException")
	})
}
