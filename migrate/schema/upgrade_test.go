package schema_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store"
	"github.com/eragon-mdi/ksu/shared/task"
)

// old is the schema before types and idempotency keys of tasks.
const old = 2

// TestOldTasksSurvive migrates rows of each status that functions of schema 2 wrote.
func TestOldTasksSurvive(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		migrateTo(t, d, old)
		ids := map[string]uuid.UUID{}
		for n, row := range []struct{ name, values string }{
			{"waits", "'pending', NULL, NULL, 0, 0, NULL, NULL, NULL, NOW, NOW"},
			{"backs off", "'pending', NULL, 'reset', 1, 1, NULL, NULL, NULL, NULL, LATER"},
			{"runs", "'running', NULL, NULL, 1, 1, NOW, NULL, LATER, NOW, NOW"},
			{"completed", "'completed', 'io work result = 3', NULL, 1, 1, NOW, NOW, NULL, NOW, NOW"},
			{"failed", "'failed', NULL, 'no \"luck\"', 1, 1, NOW, NOW, NULL, NOW, NOW"},
			{"deleted", "'cancelled', NULL, NULL, 0, 0, NULL, NOW, NULL, NOW, NOW"},
		} {
			ids[row.name] = uuid.UUID{6: 0x70, 8: 0x80, 15: byte(1 + n)}
			insertOld(t, d, ids[row.name], row.values)
		}
		step(t, "up", old+1)(d.target.Up(t.Context()))

		s := openStore(t, d)
		completed, err := s.Get(t.Context(), ids["completed"])
		if err != nil || string(completed.Result) != `"io work result = 3"` || completed.Type != "iowork" || completed.FairnessKey != "local" {
			t.Errorf("the completed task is %+v, %v", completed, err)
		}
		if failed, err := s.Get(t.Context(), ids["failed"]); err != nil || failed.Error != `no "luck"` {
			t.Errorf("the failed task is %+v, %v", failed, err)
		}
		if _, err := s.Get(t.Context(), ids["deleted"]); err == nil {
			t.Error("the deleted task is there")
		}
		rules := task.ClaimRules{Lease: time.Hour}
		if got, err := s.Claim(t.Context(), rules); err != nil || got.ID != ids["waits"] {
			t.Errorf("claimed %+v, %v; want the task that waits", got, err)
		}
		if got, err := s.Claim(t.Context(), rules); err == nil {
			t.Errorf("claimed %+v; want nothing, since the other task backs off", got)
		}
		if err := s.Complete(t.Context(), ids["runs"], 1, []byte(`"done"`), nil); err != nil {
			t.Errorf("the worker that ran at the migration: %v", err)
		}
		step(t, "down", old)(d.target.Down(t.Context(), 1))
	})
}

// TestOldFunctionsRunOn checks that old functions can write to the new schema of Postgres, as they do during a
// deployment. The internal store has no deployments.
func TestOldFunctionsRunOn(t *testing.T) {
	t.Parallel()
	d := emptyPostgres(t)
	step(t, "up", old+1)(d.target.Up(t.Context()))
	id := uuid.New()
	// These are the statements of that version.
	must := func(text string, args ...any) {
		t.Helper()
		if err := d.exec(t, fmt.Sprintf(strings.ReplaceAll(text, "$1", "'"+id.String()+"'"), args...)); err != nil {
			t.Fatal(err)
		}
	}
	must(`INSERT INTO tasks (id, send_after) VALUES ($1, now() + '10 s'::interval)`)
	s := openStore(t, d)
	rules := task.ClaimRules{Lease: time.Hour}
	if got, err := s.Claim(t.Context(), rules); err != nil || got.ID != id || got.Attempt != 1 {
		t.Fatalf("claimed %+v, %v; want the task that an old API function wrote", got, err)
	}
	must(`UPDATE tasks SET status = CASE WHEN tries >= 3 THEN 'failed' ELSE 'pending' END, ended_at = NULL, started_at = NULL,
		enqueued_at = NULL, send_after = now(), error = 'reset', lease_expires_at = NULL WHERE id = $1 AND status = 'running' AND attempt = 1`)
	must(`UPDATE tasks SET enqueued_at = now() FROM set_config('synchronous_commit', 'off', true) WHERE id = $1 AND status = 'pending'`)
	if got, err := s.Claim(t.Context(), rules); err != nil || got.Attempt != 2 {
		t.Fatalf("claimed %+v, %v; want the task that an old worker gave back", got, err)
	}
	must(`UPDATE tasks SET status = 'completed', result = 'io work result = 5', error = NULL, ended_at = now(), lease_expires_at = NULL
		WHERE id = $1 AND status = 'running' AND attempt = 2`)
	if got, err := s.Get(t.Context(), id); err != nil || string(got.Result) != `"io work result = 5"` {
		t.Errorf("the task is %+v, %v; want an old worker's result", got, err)
	}
	id = uuid.New()
	must(`INSERT INTO tasks (id, send_after) VALUES ($1, now() + '10 s'::interval)`)
	must(`UPDATE tasks SET status = 'running', attempt = attempt + 1, tries = tries + 1, started_at = now(),
		lease_expires_at = now() + '9 s'::interval WHERE id = $1 AND (status = 'pending' OR status = 'running' AND lease_expires_at <= now() AND tries < 3)`)
	if got, err := s.Claim(t.Context(), rules); err == nil {
		t.Errorf("claimed %+v, which an old worker runs", got)
	}
}

// migrateTo makes the schema of a version.
func migrateTo(t *testing.T, d database, version uint) {
	t.Helper()
	latest, err := d.target.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	step(t, "down", version)(d.target.Down(t.Context(), int(latest-version)))
}

// insertOld inserts a row of schema 2.
func insertOld(t *testing.T, d database, id uuid.UUID, values string) {
	t.Helper()
	idText, created := "'"+id.String()+"'", "now()"
	now, later := "now()", "now() + '1 h'"
	if d.driver == "sqlite" {
		created = fmt.Sprint(time.Now().UnixMicro())
		idText, now, later = fmt.Sprintf("x'%x'", id[:]), created, fmt.Sprint(time.Now().Add(time.Hour).UnixMicro())
	}
	values = strings.NewReplacer("NOW", now, "LATER", later).Replace(values)
	err := d.exec(t, "INSERT INTO tasks (id, created_at, status, result, error, attempt, tries, started_at, ended_at, lease_expires_at, enqueued_at, send_after)"+
		" VALUES ("+idText+", "+created+", "+values+")")
	if err != nil {
		t.Fatal(err)
	}
}

func openStore(t *testing.T, d database) task.Store {
	t.Helper()
	cfg := config.Storage{Type: "postgres", DatabaseURL: config.Secret(d.name)}
	if d.driver == "sqlite" {
		cfg = config.Storage{Type: "internal", Path: d.path}
	}
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
