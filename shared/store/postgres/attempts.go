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
	claimSQL = `
UPDATE tasks SET status = 'running', attempt = attempt + 1, tries = tries + 1, started_at = now(),
    lease_expires_at = now() + $2::interval
WHERE id = $1 AND (status = 'pending' OR status = 'running' AND lease_expires_at <= now() AND tries < coalesce(max_attempts, $3))
RETURNING attempt`

	// heartbeatSQL does not wait for the disk; see markEnqueuedSQL.
	heartbeatSQL = `
UPDATE tasks SET lease_expires_at = now() + $3::interval FROM set_config('synchronous_commit', 'off', true)
WHERE id = $1 AND status = 'running' AND attempt = $2`

	completeSQL = `
UPDATE tasks SET status = 'completed', result = $3, typed = true, error = NULL, ended_at = now(), lease_expires_at = NULL
WHERE id = $1 AND status = 'running' AND attempt = $2`

	failSQL = `
UPDATE tasks SET status = 'failed', error = $3, ended_at = now(), lease_expires_at = NULL
WHERE id = $1 AND status = 'running' AND attempt = $2`

	requeueSQL = `
UPDATE tasks SET
    status      = CASE WHEN tries >= coalesce(max_attempts, $5) THEN 'failed' ELSE 'pending' END,
    ended_at    = CASE WHEN tries >= coalesce(max_attempts, $5) THEN now() END,
    started_at  = CASE WHEN tries >= coalesce(max_attempts, $5) THEN started_at END,
    enqueued_at = CASE WHEN tries >= coalesce(max_attempts, $5) THEN enqueued_at END,
    send_after = now() + $4::interval, error = $3, lease_expires_at = NULL
WHERE id = $1 AND status = 'running' AND attempt = $2
RETURNING status = 'pending'`

	releaseSQL = `
UPDATE tasks SET status = 'pending', tries = greatest(tries - 1, 0), started_at = NULL, lease_expires_at = NULL,
    enqueued_at = NULL, send_after = now()
WHERE id = $1 AND status = 'running' AND attempt = $2`
)

// Claim makes a task running; see task.Attempts.
func (s *Store) Claim(ctx context.Context, id uuid.UUID, lease time.Duration, maxAttempts int) (int, error) {
	var attempt int
	scan := func(r pgx.Row) error { return r.Scan(&attempt) }
	err := s.row(ctx, false, scan, claimSQL, [16]byte(id), lease, maxAttempts)
	if errors.Is(err, pgx.ErrNoRows) {
		err = task.ErrNotClaimable
	}
	if err != nil {
		return 0, fmt.Errorf("claim task %s: %w", id, err)
	}
	return attempt, nil
}

// Heartbeat extends the lease of a running attempt; see task.Attempts.
func (s *Store) Heartbeat(ctx context.Context, id uuid.UUID, attempt int, lease time.Duration) error {
	return s.fenced(ctx, true, "extend the lease of", heartbeatSQL, id, attempt, lease)
}

// Complete ends a running attempt with its result.
func (s *Store) Complete(ctx context.Context, id uuid.UUID, attempt int, result json.RawMessage) error {
	return s.fenced(ctx, false, "complete", completeSQL, id, attempt, task.Text(string(result)))
}

// Fail ends a running attempt for good with the reason.
func (s *Store) Fail(ctx context.Context, id uuid.UUID, attempt int, reason string) error {
	return s.fenced(ctx, false, "fail", failSQL, id, attempt, task.Text(reason))
}

// Requeue makes the task of a running attempt pending again, or failed after its last one; see task.Attempts.
func (s *Store) Requeue(ctx context.Context, id uuid.UUID, attempt int, reason string, after time.Duration, maxAttempts int) (bool, error) {
	var again bool
	scan := func(r pgx.Row) error { return r.Scan(&again) }
	err := s.row(ctx, false, scan, requeueSQL, [16]byte(id), attempt, task.Text(reason), after, maxAttempts)
	if errors.Is(err, pgx.ErrNoRows) {
		err = task.ErrLeaseLost
	}
	if err != nil {
		return false, fmt.Errorf("requeue task %s, attempt %d: %w", id, attempt, err)
	}
	return again, nil
}

// Release gives the task of a running attempt back; see task.Attempts.
func (s *Store) Release(ctx context.Context, id uuid.UUID, attempt int) error {
	return s.fenced(ctx, false, "release", releaseSQL, id, attempt)
}

// fenced runs a statement that writes one row if the attempt still holds the task. With again it may run twice.
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
