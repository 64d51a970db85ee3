package e2e_test

import (
	"strings"
	"testing"
	"time"
)

const refuseClaims = `
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$;
	CREATE TRIGGER refuse BEFORE UPDATE ON tasks FOR EACH ROW WHEN (NEW.status = 'running') EXECUTE FUNCTION refuse();`

// TestDeadLetters checks a permit whose every delivery fails: after maxReceiveCount receives, the dead letter queue
// brings it to the sweeper. The sweeper drops it and sends another, since its task still waits. A trigger refuses the
// claims. The time-outs are shorter than the template's.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	database := postgresURL(t)
	template := changedTemplate(t, t.TempDir(), "rate(1 minute)", "rate(1 hour)", // the dead letter's sweep is the only one
		" Timeout: !Ref WorkerTimeout", " Timeout: 3",
		"VisibilityTimeout: !Ref TaskVisibilityTimeout", "VisibilityTimeout: 3")
	s := launch(t, t.TempDir(), "--template", template, "--parameter-overrides",
		`JobMinDuration=100ms JobMaxDuration=200ms JobFailureRate=0 DatabaseUrl="`+database+`"`)
	s.untilReady()
	execute(t, database, refuseClaims)
	id := s.submit()
	s.until("the sweeper to get the dead letter", 90*time.Second, func() bool { return strings.Contains(s.output(), `"msg":"dead letters dropped"`) })
	if n := strings.Count(s.output(), `"msg":"no task claimed"`); n < 5 {
		t.Errorf("the permit was delivered %d times, want maxReceiveCount, 5", n)
	}
	execute(t, database, `DROP TRIGGER refuse ON tasks`)
	// A function of 3 seconds does not have time for a job, whose ending alone may take 10.
	s.until("the task to be run", 30*time.Second, func() bool { return s.status(id) == "failed by io bound" })
	if r := s.do("GET", "/task/"+id+"/result", ""); !strings.Contains(r.body, "the job did not end before the function's time-out") {
		t.Errorf("result: %d %s", r.status, r.body)
	}
}

// TestHiddenMessages checks that a task does not wait for the hour that SQS hides its permit, if its worker failed
// before the claim.
func TestHiddenMessages(t *testing.T) {
	t.Parallel()
	database := postgresURL(t)
	s := start(t, t.TempDir(), `JobMinDuration=100ms JobMaxDuration=200ms JobFailureRate=0 DatabaseUrl="`+database+`"`)
	execute(t, database, refuseClaims)
	id := s.submit()
	s.until("the worker to fail", 20*time.Second, func() bool { return strings.Contains(s.output(), `"msg":"no task claimed"`) })
	execute(t, database, `DROP TRIGGER refuse ON tasks`)
	if status := s.status(id); status != "created, but waiting to start" {
		t.Fatalf("the task is %q at once; the test shows nothing", status)
	}
	s.sweep()
	s.until("the task to complete", 20*time.Second, func() bool { return s.status(id) == "completed" })
}
