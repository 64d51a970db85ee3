package postgres

import (
	"errors"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// TestClaimPassesByALockedTask checks that a claim takes another key's task while the chosen key's only one is being
// cancelled: the permit would be lost.
func TestClaimPassesByALockedTask(t *testing.T) {
	t.Parallel()
	url := testserver.Postgres(t)
	s := open(t, url)
	var tasks []task.Task
	for _, key := range []string{"a", "b"} {
		made, _, err := s.Create(t.Context(), storetest.NewID(t), task.Submission{FairnessKey: key}, task.Key{})
		if err != nil {
			t.Fatal(err)
		}
		tasks = append(tasks, made)
	}
	conn := connect(t, url)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM tasks WHERE fairness_key = 'a' FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	rules := task.ClaimRules{Lease: time.Minute}
	if got, err := s.Claim(t.Context(), rules); err != nil || got.ID != tasks[1].ID {
		t.Errorf("claimed %v of key %q, %v; want the task of key b", got.ID, got.FairnessKey, err)
	}
	if got, err := s.Claim(t.Context(), rules); !errors.Is(err, task.ErrNothingToClaim) {
		t.Errorf("claimed %v, %v; want nothing, since the only task is locked", got.ID, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Claim(t.Context(), rules); err != nil || got.ID != tasks[0].ID {
		t.Errorf("claimed %v, %v; want the task of key a", got.ID, err)
	}
}
