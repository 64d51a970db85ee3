package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// TestRefusals lists every class of refusal with the store's reaction and the reason.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]struct {
		reaction reaction
		reason   string
	}{
		"08000": {replace, "the connection failed"},
		"08003": {replace, "the connection failed"},
		"08006": {replace, "the connection failed"},
		"08P01": {replace, "a pooler ended the connection, such as after query_wait_timeout"},
		"25006": {reconnect, "the server is read-only: a failover made it the standby, and its name leads to the new primary"},
		"40001": {repeat, "the transaction lost a race against another one"},
		"40P01": {repeat, "the transaction was chosen to break a deadlock"},
		"53000": {wait, "the server lacks another resource"},
		"53100": {wait, "the disk is full"},
		"53200": {wait, "the server is out of memory"},
		"53300": {wait, "the server, or the role, has no connection left"},
		"55P03": {wait, "another transaction holds the lock for longer than lock_timeout"},
		"57014": {wait, "the server cancelled the statement, such as after statement_timeout"},
		"57P01": {replace, "the server shuts down, or an administrator ended the connection"},
		"57P02": {replace, "the server crashed"},
		"57P03": {replace, "the server starts up or recovers"},
		"57P05": {reconnect, "the server ended the connection because it was idle"},
		"58030": {wait, "the server's disk returned an error"},
	} {
		err := fmt.Errorf("insert: %w", &pgconn.PgError{Code: code})
		r := refusalOf(err)
		if r == nil || r.reaction != want.reaction || r.reason != want.reason {
			t.Errorf("%s: %+v, want %+v", code, r, want)
		}
		if got := unavailable(err); !errors.Is(got, task.ErrUnavailable) || !errors.Is(got, err) {
			t.Errorf("unavailable(%s) = %v; want it to wrap ErrUnavailable and the error", code, got)
		}
	}
	for _, code := range []string{"22P02", "23505", "23514", "26000", "28P01", "3D000", "40002", "42501", "42P01", "57P04", "XX000"} {
		if got := unavailable(&pgconn.PgError{Code: code}); errors.Is(got, task.ErrUnavailable) {
			t.Errorf("unavailable(%s) = %v; want the error alone", code, got)
		}
	}
}

func TestPassingErrorsOfTheConnection(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&net.OpError{Err: net.ErrClosed}, io.ErrUnexpectedEOF, context.DeadlineExceeded, fmt.Errorf("read: %w", io.EOF), &pgconn.ConnectError{},
	} {
		if !Passing(err) {
			t.Errorf("Passing(%v) = false", err)
		}
	}
	for _, err := range []error{nil, errors.New("other"), context.Canceled} {
		if Passing(err) {
			t.Errorf("Passing(%v) = true", err)
		}
	}
}

// refuse makes every write to tasks fail with a state, the given number of times or, for -1, until permit is called.
func refuse(t *testing.T, url, code string, times int) (permit func()) {
	t.Helper()
	exec(t, url, `CREATE SEQUENCE refused`)
	exec(t, url, fmt.Sprintf(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
		$$BEGIN
			IF %d < 0 OR nextval('refused') <= %[1]d THEN RAISE EXCEPTION 'refused' USING ERRCODE = '%s'; END IF;
			RETURN NULL;
		END$$`, times, code))
	exec(t, url, `CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON tasks FOR EACH STATEMENT EXECUTE FUNCTION refuse()`)
	return func() { exec(t, url, `DROP TRIGGER refuse ON tasks`) }
}

// TestServerThatRefusesForNow checks that every statement reports a transient refusal, and that its next attempt
// succeeds.
func TestServerThatRefusesForNow(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"08006", "25006", "40001", "40P01", "53100", "53200", "53300", "55P03", "57014", "57P01", "57P03", "58030"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			url, ctx := testserver.Postgres(t), t.Context()
			s := open(t, url)
			id := storetest.Create(t, s)
			attempt := storetest.Claim(t, s).Attempt
			permit := refuse(t, url, code, -1)
			_, _, created := s.Create(ctx, storetest.NewID(t), task.Submission{}, task.Key{})
			for name, err := range map[string]error{
				"Create": created, "Complete": s.Complete(ctx, id, attempt, []byte(`"result"`), nil), "Heartbeat": s.Heartbeat(ctx, id, attempt, time.Hour, nil),
			} {
				if !errors.Is(err, task.ErrUnavailable) {
					t.Errorf("%s = %v; want ErrUnavailable", name, err)
				}
			}
			permit()
			if err := s.Complete(ctx, id, attempt, []byte(`"result"`), nil); err != nil {
				t.Errorf("Complete afterwards: %v", err)
			}
		})
	}
}

// TestStatementsThatWereUndone checks that a claim, which must not run twice, is repeated at once after a rollback.
func TestStatementsThatWereUndone(t *testing.T) {
	t.Parallel()
	for code, again := range map[string]bool{"40001": true, "40P01": true, "25006": true, "53100": false, "57P01": false} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			url := testserver.Postgres(t)
			s := open(t, url)
			storetest.Create(t, s)
			refuse(t, url, code, 1)
			claimed, err := s.Claim(t.Context(), storetest.Hour)
			if again && (err != nil || claimed.Attempt != 1) || !again && !errors.Is(err, task.ErrUnavailable) {
				t.Errorf("Claim = %+v, %v; want it repeated: %t", claimed, err, again)
			}
		})
	}
}
