package e2e_test

import (
	"strings"
	"testing"
	"time"
)

const refuseClaims = `
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$;
	CREATE TRIGGER refuse BEFORE UPDATE ON tasks FOR EACH ROW WHEN (NEW.status = 'running') EXECUTE FUNCTION refuse();`

// TestDeadLetters: a task whose every delivery fails is given up by the queue after maxReceiveCount receives, comes to
// the sweeper through the dead letter queue, and ends there with a reason. A trigger refuses its claims; the time-outs
// are the template's but for their length.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	database := postgresURL(t)
	template := changedTemplate(t, t.TempDir(),
		" Timeout: !Ref WorkerTimeout", " Timeout: 3",
		"VisibilityTimeout: !Ref TaskVisibilityTimeout", "VisibilityTimeout: 3")
	s := launch(t, t.TempDir(), "--template", template, "--parameter-overrides", `MaxAttempts=1 DatabaseUrl="`+database+`"`)
	s.untilReady()
	execute(t, database, refuseClaims)
	id := s.submit()
	s.until("the sweeper to give the task up", 90*time.Second, func() bool { return s.status(id) == "failed by io bound" })
	const reason = "the queue gave up on the task"
	if r := s.do("GET", "/task/"+id+"/result", ""); r.status != 409 || !strings.Contains(r.body, `"error":"`+reason+`"`) {
		t.Errorf("result: %d %s, want the reason %q", r.status, r.body, reason)
	}
	if r := s.do("GET", "/task", ""); r.status != 200 || !strings.Contains(r.body, `"error":"`+reason+`"`) {
		t.Errorf("list: %d %s, want the reason %q", r.status, r.body, reason)
	}
	s.until("the log to count the dead letter", 10*time.Second, func() bool {
		return strings.Contains(s.output(), `"msg":"dead letters handled"`)
	})
	if n := strings.Count(s.output(), `"msg":"message returned to the queue"`); n != 5 {
		t.Errorf("the message was delivered %d times, want maxReceiveCount, 5", n)
	}
}

// TestHiddenMessages: a task whose worker failed before it claimed the task does not wait for the half hour that its
// message stays hidden.
func TestHiddenMessages(t *testing.T) {
	t.Parallel()
	database := postgresURL(t)
	s := start(t, t.TempDir(), `JobMinDuration=100ms JobMaxDuration=200ms JobFailureRate=0 DatabaseUrl="`+database+`"`)
	execute(t, database, refuseClaims)
	id := s.submit()
	s.until("the worker to fail", 20*time.Second, func() bool {
		return strings.Contains(s.output(), `"msg":"message returned to the queue"`)
	})
	execute(t, database, `DROP TRIGGER refuse ON tasks`)
	s.sweep()
	if status := s.status(id); status != "created, but waiting to start" {
		t.Fatalf("the task is %q at once; the test shows nothing", status)
	}
	execute(t, database, `UPDATE tasks SET enqueued_at = enqueued_at - interval '3 min'`) // as time would
	s.sweep()
	s.until("the task to complete", 20*time.Second, func() bool { return s.status(id) == "completed" })
}
