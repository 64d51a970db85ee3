package e2e_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// change is a row of the table tasks after a statement. A trigger that the test adds to the database records the
// changes, independently of the code that writes.
type change struct {
	at      time.Time // when the statement wrote it
	task    string
	status  string
	attempt int
	lease   time.Time // its end; zero without a lease
	due     time.Time // the earliest start
	key     string    // its fairness key
	ending  string    // the result or error
}

const keepHistory = `
CREATE TABLE history (
    seq bigserial PRIMARY KEY, at timestamptz NOT NULL, id uuid NOT NULL, status text NOT NULL, attempt int NOT NULL,
    lease timestamptz, due timestamptz NOT NULL, key text NOT NULL, ending text
);
CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ -- the functions' roles do not know the table
BEGIN
    INSERT INTO history (at, id, status, attempt, lease, due, key, ending)
    VALUES (clock_timestamp(), NEW.id, NEW.status, NEW.attempt, NEW.lease_expires_at,
        coalesce(NEW.run_at, NEW.created_at), NEW.fairness_key, coalesce(NEW.result, NEW.error));
    RETURN NULL;
END $$;
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION keep_history();`

// readHistory returns the changes of each task in order.
func readHistory(t *testing.T, url string) map[string][]change {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, `SELECT at, id::text, status, attempt, coalesce(lease, '0001-01-01 00:00:00Z'), due, key,
		coalesce(ending, '') FROM history ORDER BY id, seq`)
	if err != nil {
		t.Fatal(err)
	}
	history := map[string][]change{}
	var c change
	_, err = pgx.ForEachRow(rows, []any{&c.at, &c.task, &c.status, &c.attempt, &c.lease, &c.due, &c.key, &c.ending}, func() error {
		history[c.task] = append(history[c.task], c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return history
}

func (c change) String() string {
	return fmt.Sprintf("%s %s, attempt %d, lease until %s, %q", c.at.Format("15:04:05.000"), c.status, c.attempt,
		c.lease.Format("15:04:05.000"), c.ending)
}

func (c change) ended() bool { return c.status == "completed" || c.status == "failed" }

// step names a change from one state to the next, or says why it is wrong.
func step(from, to change) (what string, wrong string) {
	same := to.attempt == from.attempt
	switch {
	case from.status == "cancelled":
		return "", "a deleted task changed"
	case to.status == "cancelled" && same:
		return "deleted", ""
	case from.ended():
		return "", "an ended task changed"
	case from.status == "pending" && to.status == "running" && to.attempt == from.attempt+1:
		if to.at.Before(from.due) {
			return "", "a task was claimed before it was due"
		}
		return "claimed", ""
	case from.status == "pending" && to.status == "pending" && same:
		return "due", "" // or announced, or changed
	case from.status == "pending" && to.status == "failed" && same:
		return "expired", ""
	case from.status != "running":
		return "", "a task that nobody ran changed"
	case to.status == "running" && to.attempt == from.attempt+1:
		return "", "a task was claimed while it ran"
	case !same:
		return "", "the attempt changed without a claim"
	case to.status == "running" && !to.lease.Before(from.lease):
		return "heartbeat", ""
	case to.status == "completed":
		return "ended", ""
	case to.status == "failed" || to.status == "pending":
		if to.at.After(from.lease) {
			return "rescued", ""
		}
		return "ended", "" // by its worker: failed, given back, or tried again
	}
	return "", "not a step of the state machine"
}
