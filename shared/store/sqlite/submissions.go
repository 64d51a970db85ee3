package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

const (
	createSQL = `INSERT INTO tasks (id, created_at, send_after) VALUES (?1, now_us(), now_us() + ?2) RETURNING created_at`

	// keySQL takes a key that is free or was forgotten, or leaves it as it is.
	keySQL = `
INSERT INTO idempotency_keys AS old (key, request, task_id, created_at) VALUES (?2, ?3, ?1, now_us())
ON CONFLICT (key) DO UPDATE SET (request, task_id, created_at) = (excluded.request, excluded.task_id, excluded.created_at)
    WHERE old.created_at < now_us() - ?4`

	keyOwnerSQL = `SELECT task_id, created_at, request FROM idempotency_keys WHERE key = ?1`

	createKeyedSQL = `INSERT INTO tasks (id, created_at, send_after) VALUES (?1, ?2, ?2 + ?3)`

	markEnqueuedSQL = `UPDATE tasks SET enqueued_at = now_us() WHERE id = ?1 AND status = 'pending'`

	columns = `id, status, coalesce(result, ''), coalesce(error, ''), attempt, created_at,
    coalesce(max(coalesce(ended_at, now_us()) - started_at, 0), 0)`

	getSQL = `SELECT ` + columns + ` FROM tasks WHERE id = ?1 AND status <> 'cancelled'`

	listSQL = `SELECT ` + columns + ` FROM tasks WHERE status <> 'cancelled' AND id < ?1 ORDER BY id DESC LIMIT ?2`

	listStatusSQL = `SELECT ` + columns + ` FROM tasks
WHERE status <> 'cancelled' AND status = ?3 AND id < ?1 ORDER BY id DESC LIMIT ?2`

	cancelSQL = `
UPDATE tasks SET status = 'cancelled', ended_at = now_us(), lease_expires_at = NULL
WHERE id = ?1 AND status <> 'cancelled'`
)

// Create writes a new pending task; see task.Submissions.
func (s *Store) Create(ctx context.Context, id uuid.UUID, key task.Key) (task.Task, bool, error) {
	if key.Name != "" {
		return s.createKeyed(ctx, id, key)
	}
	created, err := one(ctx, s, scanInt, createSQL, id[:], task.SendTime.Microseconds())
	if err != nil {
		return task.Task{}, false, fmt.Errorf("insert task %s: %w", id, err)
	}
	return task.Task{ID: id, Status: task.Pending, CreatedAt: at(created)}, true, nil
}

func (s *Store) createKeyed(ctx context.Context, id uuid.UUID, key task.Key) (task.Task, bool, error) {
	request := key.Request
	if request == nil {
		request = []byte{} // nil would be NULL
	}
	var owner keyOwner
	err := s.transaction(ctx, func(conn *sql.Conn) (err error) {
		if _, err = conn.ExecContext(ctx, keySQL, id[:], key.Name, request, task.KeyLifetime.Microseconds()); err != nil {
			return err
		}
		if owner, err = scanKeyOwner(conn.QueryRowContext(ctx, keyOwnerSQL, key.Name)); err != nil || owner.task != id {
			return err
		}
		_, err = conn.ExecContext(ctx, createKeyedSQL, id[:], owner.created, task.SendTime.Microseconds())
		return err
	})
	switch {
	case err != nil:
		return task.Task{}, false, fmt.Errorf("insert task %s with a key: %w", id, err)
	case !bytes.Equal(owner.request, request):
		return task.Task{}, false, fmt.Errorf("insert task %s: %w", id, task.ErrKeyReused)
	}
	return task.Task{ID: owner.task, Status: task.Pending, CreatedAt: at(owner.created)}, owner.task == id, nil
}

// keyOwner is what a key stands for.
type keyOwner struct {
	task    uuid.UUID
	created int64
	request []byte
}

func scanKeyOwner(r row) (o keyOwner, err error) {
	var id []byte
	if err = r.Scan(&id, &o.created, &o.request); err == nil {
		o.task, err = uuid.FromBytes(id)
	}
	return o, err
}

// MarkEnqueued notes that the task's message is in the queue; see task.Submissions.
func (s *Store) MarkEnqueued(ctx context.Context, id uuid.UUID) error {
	if _, err := s.exec(ctx, markEnqueuedSQL, id[:]); err != nil {
		return fmt.Errorf("mark task %s as enqueued: %w", id, err)
	}
	return nil
}

// Get returns a task, or task.ErrNotFound.
func (s *Store) Get(ctx context.Context, id uuid.UUID) (task.Task, error) {
	t, err := one(ctx, s, scanTask, getSQL, id[:])
	if errors.Is(err, sql.ErrNoRows) {
		err = task.ErrNotFound
	}
	if err != nil {
		return task.Task{}, fmt.Errorf("get task %s: %w", id, err)
	}
	return t, nil
}

// List returns a page of tasks, newest first; see task.Page.
func (s *Store) List(ctx context.Context, page task.Page) ([]task.Task, error) {
	before, limit := page.Bounds()
	text, args := listSQL, []any{before[:], limit}
	if page.Status != "" {
		text, args = listStatusSQL, append(args, string(page.Status))
	}
	list, err := query(ctx, s, scanTask, text, args...)
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	return list, nil
}

// Cancel makes any visible task cancelled, or returns task.ErrNotFound.
func (s *Store) Cancel(ctx context.Context, id uuid.UUID) error {
	n, err := s.exec(ctx, cancelSQL, id[:])
	if err == nil && n == 0 {
		err = task.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("cancel task %s: %w", id, err)
	}
	return nil
}

func scanTask(r row) (t task.Task, err error) {
	var id []byte
	var created, took int64
	if err = r.Scan(&id, &t.Status, &t.Result, &t.Error, &t.Attempt, &created, &took); err == nil {
		t.ID, err = uuid.FromBytes(id)
	}
	t.CreatedAt, t.Duration = at(created), time.Duration(took)*time.Microsecond
	return t, err
}

func scanInt(r row) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

// at is a stored time.
func at(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
