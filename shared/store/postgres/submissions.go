package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/shared/task"
)

const (
	createSQL = `INSERT INTO tasks (id, send_after) VALUES ($1, now() + $2::interval) RETURNING created_at`

	// createAgainSQL is createSQL after a connection was cut and nobody knows whether the row was committed. The id is
	// new, so a row that has it is this one.
	createAgainSQL = `
INSERT INTO tasks (id, send_after) VALUES ($1, now() + $2::interval)
ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING created_at`

	// createKeyedSQL takes the key and, where it got it, creates the task. The update of a key that is still valid
	// changes nothing: it is there to wait for another transaction with this key and to return what that one wrote,
	// which is invisible to a plain SELECT in this statement.
	createKeyedSQL = `
WITH k AS (
    INSERT INTO idempotency_keys AS old (key, request, task_id) VALUES ($2, $3, $1)
    ON CONFLICT (key) DO UPDATE SET
        request    = CASE WHEN old.created_at < now() - $4::interval THEN excluded.request    ELSE old.request    END,
        task_id    = CASE WHEN old.created_at < now() - $4::interval THEN excluded.task_id    ELSE old.task_id    END,
        created_at = CASE WHEN old.created_at < now() - $4::interval THEN excluded.created_at ELSE old.created_at END
    RETURNING task_id, request, created_at
), t AS (
    INSERT INTO tasks (id, created_at, send_after) SELECT task_id, created_at, now() + $5::interval FROM k WHERE task_id = $1 ON CONFLICT (id) DO NOTHING
)
SELECT task_id, created_at, request = $3 FROM k`

	// markEnqueuedSQL and heartbeatSQL do not wait for the disk: set_config runs before the statement commits, and
	// counts for its transaction alone. What a crash of the server can lose that way does no harm.
	markEnqueuedSQL = `
UPDATE tasks SET enqueued_at = now() FROM set_config('synchronous_commit', 'off', true)
WHERE id = $1 AND status = 'pending'`

	columns = `id, status, coalesce(result, ''), coalesce(error, ''), attempt, created_at,
    coalesce(greatest(extract(epoch FROM coalesce(ended_at, now()) - started_at), 0) * 1000000, 0)::bigint`

	getSQL = `SELECT ` + columns + ` FROM tasks WHERE id = $1 AND status <> 'cancelled'`

	listSQL = `SELECT ` + columns + ` FROM tasks WHERE status <> 'cancelled' AND id < $1 ORDER BY id DESC LIMIT $2`

	// listStatusSQL is a range of the index on (status, id). With status = $3 the planner might walk through all tasks in
	// the order of their ids instead, past millions of completed ones to a hundred that wait.
	listStatusSQL = `SELECT ` + columns + ` FROM tasks
WHERE status <> 'cancelled' AND (status, id) < ($3, $1::uuid) AND status >= $3 ORDER BY status DESC, id DESC LIMIT $2`

	cancelSQL = `
UPDATE tasks SET status = 'cancelled', ended_at = now(), lease_expires_at = NULL
WHERE id = $1 AND status <> 'cancelled'`
)

// Create writes a new pending task; see task.Submissions.
func (s *Store) Create(ctx context.Context, id uuid.UUID, key task.Key) (task.Task, bool, error) {
	t := task.Task{ID: id, Status: task.Pending}
	if key.Name != "" {
		return s.createKeyed(ctx, t, key)
	}
	sql := createSQL
	err := s.run(ctx, true, func() error {
		text := sql
		sql = createAgainSQL
		return s.pool.QueryRow(ctx, text, [16]byte(id), task.SendTime).Scan(&t.CreatedAt)
	})
	if err != nil {
		return task.Task{}, false, fmt.Errorf("insert task %s: %w", id, err)
	}
	t.CreatedAt = t.CreatedAt.UTC()
	return t, true, nil
}

func (s *Store) createKeyed(ctx context.Context, t task.Task, key task.Key) (task.Task, bool, error) {
	id, same := t.ID, false
	request := key.Request
	if request == nil {
		request = []byte{} // nil would be NULL
	}
	scan := func(r pgx.Row) error { return r.Scan((*[16]byte)(&t.ID), &t.CreatedAt, &same) }
	err := s.row(ctx, true, scan, createKeyedSQL, [16]byte(id), key.Name, request, task.KeyLifetime, task.SendTime)
	switch {
	case err != nil:
		return task.Task{}, false, fmt.Errorf("insert task %s with a key: %w", id, err)
	case !same:
		return task.Task{}, false, fmt.Errorf("insert task %s: %w", id, task.ErrKeyReused)
	}
	t.CreatedAt = t.CreatedAt.UTC()
	return t, t.ID == id, nil
}

// MarkEnqueued notes that the task's message is in the queue; see task.Submissions.
func (s *Store) MarkEnqueued(ctx context.Context, id uuid.UUID) error {
	if _, err := s.exec(ctx, true, markEnqueuedSQL, [16]byte(id)); err != nil {
		return fmt.Errorf("mark task %s as enqueued: %w", id, err)
	}
	return nil
}

// Get returns a task, or task.ErrNotFound.
func (s *Store) Get(ctx context.Context, id uuid.UUID) (task.Task, error) {
	var t task.Task
	err := s.row(ctx, true, func(r pgx.Row) error { return scanTask(r, &t) }, getSQL, [16]byte(id))
	if errors.Is(err, pgx.ErrNoRows) {
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
	sql, args := listSQL, []any{[16]byte(before), limit}
	if page.Status != "" {
		sql, args = listStatusSQL, append(args, string(page.Status))
	}
	list, err := rows(ctx, s, true, func(r pgx.CollectableRow) (t task.Task, err error) {
		err = scanTask(r, &t)
		return t, err
	}, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	return list, nil
}

// Cancel makes any visible task cancelled, or returns task.ErrNotFound.
func (s *Store) Cancel(ctx context.Context, id uuid.UUID) error {
	n, err := s.exec(ctx, false, cancelSQL, [16]byte(id))
	if err == nil && n == 0 {
		err = task.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("cancel task %s: %w", id, err)
	}
	return nil
}

func scanTask(r pgx.Row, t *task.Task) error {
	var status string
	var micros int64
	err := r.Scan((*[16]byte)(&t.ID), &status, &t.Result, &t.Error, &t.Attempt, &t.CreatedAt, &micros)
	t.Status, t.CreatedAt, t.Duration = task.Status(status), t.CreatedAt.UTC(), time.Duration(micros)*time.Microsecond
	return err
}
