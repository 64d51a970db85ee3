package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/shared/task"
)

const (
	// heartbeatSQL does not wait for the disk: set_config runs before the statement commits, and applies to its
	// transaction only. A crash of the server can then lose a heartbeat, which does no harm.
	heartbeatSQL = `
UPDATE tasks SET lease_expires_at = now() + $3::interval, progress = coalesce($4::json, progress)
FROM set_config('synchronous_commit', 'off', true)
WHERE id = $1 AND status = 'running' AND attempt = $2`

	// ended is the list of attempts, including the one that ends now.
	ended = `coalesce(attempts, '[]') || jsonb_build_object('number', attempt, 'started', started_at, 'ended', now()`

	completeSQL = `
UPDATE tasks SET status = 'completed', result = $3, typed = true, error = NULL, ended_at = now(), lease_expires_at = NULL,
    progress = coalesce($4::json, progress), attempts = ` + ended + `)
WHERE id = $1 AND status = 'running' AND attempt = $2`

	failSQL = `
UPDATE tasks SET status = 'failed', error = $3, ended_at = now(), lease_expires_at = NULL,
    progress = coalesce($4::json, progress), attempts = ` + ended + `, 'error', $3::text)
WHERE id = $1 AND status = 'running' AND attempt = $2`

	requeueSQL = `
UPDATE tasks SET progress = coalesce($7::json, progress),` + again + `
FROM (SELECT id, tries >= coalesce(max_attempts, $3) AS over, $6::interval AS wait FROM tasks WHERE id = $1) a
WHERE tasks.id = a.id AND status = 'running' AND attempt = $2
RETURNING status = 'pending'`

	// again makes a running task pending, due after a.wait, or fails it if a.over. Its arguments are $4, the reason,
	// and $5, task.MaxDelay.
	again = `
    status     = CASE WHEN over THEN 'failed' ELSE 'pending' END,
    ended_at   = CASE WHEN over THEN now() END,
    started_at = CASE WHEN over THEN started_at END,
    due        = over OR wait <= '0',
    announced  = over OR wait <= $5::interval,
    run_at     = CASE WHEN over THEN run_at ELSE now() + wait END,
    error = $4, lease_expires_at = NULL, attempts = ` + ended + `, 'error', $4::text)`

	releaseSQL = `
UPDATE tasks SET status = 'pending', tries = greatest(tries - 1, 0), started_at = NULL, lease_expires_at = NULL,
    due = $3::interval <= '0', announced = $3::interval <= $4::interval,
    run_at = CASE WHEN $3::interval <= '0' THEN run_at ELSE now() + $3::interval END
WHERE id = $1 AND status = 'running' AND attempt = $2`
)

// Heartbeat extends the lease of a running attempt; see task.Attempts.
func (s *Store) Heartbeat(ctx context.Context, id uuid.UUID, attempt int, lease time.Duration, progress *task.Progress) error {
	return s.fenced(ctx, true, "extend the lease of", heartbeatSQL, id, attempt, lease, task.EncodeProgress(progress))
}

// Complete ends a running attempt with its result.
func (s *Store) Complete(ctx context.Context, id uuid.UUID, attempt int, result json.RawMessage, progress *task.Progress) error {
	return s.fenced(ctx, false, "complete", completeSQL, id, attempt, task.Text(string(result)), task.EncodeProgress(progress))
}

// Fail ends a running attempt for good with the reason.
func (s *Store) Fail(ctx context.Context, id uuid.UUID, attempt int, reason string, progress *task.Progress) error {
	return s.fenced(ctx, false, "fail", failSQL, id, attempt, task.Text(reason), task.EncodeProgress(progress))
}

// Requeue makes the task of a running attempt pending again, or fails it after its last attempt; see task.Attempts.
func (s *Store) Requeue(ctx context.Context, id uuid.UUID, attempt int, reason string, after time.Duration, maxAttempts int,
	progress *task.Progress,
) (bool, error) {
	var pending bool
	scan := func(r pgx.Row) error { return r.Scan(&pending) }
	err := s.row(ctx, false, scan, requeueSQL, [16]byte(id), attempt, maxAttempts, task.Text(reason), task.MaxDelay, max(after, 0),
		task.EncodeProgress(progress))
	if errors.Is(err, pgx.ErrNoRows) {
		err = task.ErrLeaseLost
	}
	if err != nil {
		return false, fmt.Errorf("requeue task %s, attempt %d: %w", id, attempt, err)
	}
	return pending, nil
}

// Release returns the task of a running attempt; see task.Attempts.
func (s *Store) Release(ctx context.Context, id uuid.UUID, attempt int, after time.Duration) error {
	return s.fenced(ctx, false, "release", releaseSQL, id, attempt, max(after, 0), task.MaxDelay)
}

// fenced runs a statement that writes one row if the attempt still holds the task. With again, it may run twice.
func (s *Store) fenced(ctx context.Context, again bool, operation, sql string, id uuid.UUID, attempt int, args ...any) error {
	n, err := s.exec(ctx, again, sql, append([]any{[16]byte(id), attempt}, args...)...)
	if err == nil && n == 0 {
		err = task.ErrLeaseLost
	}
	if err != nil {
		return fmt.Errorf("%s task %s, attempt %d: %w", operation, id, attempt, err)
	}
	return nil
}
