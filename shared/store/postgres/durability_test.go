package postgres

import (
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// TestDurability checks for each statement whether its commit waits for the disk.
func TestDurability(t *testing.T) {
	t.Parallel()
	url := testserver.Postgres(t)
	exec(t, url, `CREATE TABLE waits (n serial, setting text)`)
	exec(t, url, `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
		$$BEGIN INSERT INTO waits (setting) VALUES (current_setting('synchronous_commit')); RETURN NULL; END$$`)
	exec(t, url, `CREATE CONSTRAINT TRIGGER note AFTER INSERT OR UPDATE ON tasks DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION note()`)
	s, ctx := open(t, url), t.Context()
	id := storetest.NewID(t)
	for _, step := range []struct {
		name, want string
		do         func() error
	}{
		{"create", "on", func() error { id = storetest.Create(t, s); return nil }},
		{"claim", "on", func() error { _, err := s.Claim(ctx, storetest.Hour); return err }},
		{"heartbeat", "off", func() error { return s.Heartbeat(ctx, id, 1, time.Hour, nil) }},
		{"complete", "on", func() error { return s.Complete(ctx, id, 1, []byte(`"result"`), nil) }},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := s.pool.QueryRow(ctx, `SELECT setting FROM waits ORDER BY n DESC LIMIT 1`).Scan(&got); err != nil || got != step.want {
			t.Errorf("%s commits with synchronous_commit %q, %v; want %q", step.name, got, err, step.want)
		}
	}
}
