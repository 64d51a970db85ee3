package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

const (
	heartbeatSQL = `
UPDATE tasks SET lease_expires_at = now_us() + ?3, progress = coalesce(?4, progress) WHERE id = ?1 AND status = 'running' AND attempt = ?2`

	// ended is the list of attempts, including the one that ends now. Times are RFC 3339 with microseconds.
	ended = `json_insert(coalesce(attempts, '[]'), '$[#]', json_object('number', attempt,
        'started', strftime('%Y-%m-%dT%H:%M:%S', started_at / 1000000, 'unixepoch') || printf('.%06dZ', started_at % 1000000),
        'ended', strftime('%Y-%m-%dT%H:%M:%S', now_us() / 1000000, 'unixepoch') || printf('.%06dZ', now_us() % 1000000)`

	completeSQL = `
UPDATE tasks SET status = 'completed', result = ?3, typed = 1, error = NULL, ended_at = now_us(), lease_expires_at = NULL,
    progress = coalesce(?4, progress), attempts = ` + ended + `))
WHERE id = ?1 AND status = 'running' AND attempt = ?2`

	failSQL = `
UPDATE tasks SET status = 'failed', error = ?3, ended_at = now_us(), lease_expires_at = NULL,
    progress = coalesce(?4, progress), attempts = ` + ended + `, 'error', ?3))
WHERE id = ?1 AND status = 'running' AND attempt = ?2`

	// over is the condition of a task's last attempt; ?3 is the worker's limit.
	over = `tries >= coalesce(max_attempts, ?3)`

	requeueSQL = `
UPDATE tasks SET
    status     = CASE WHEN ` + over + ` THEN 'failed' ELSE 'pending' END,
    ended_at   = CASE WHEN ` + over + ` THEN now_us() END,
    started_at = CASE WHEN ` + over + ` THEN started_at END,
    due        = ` + over + ` OR ?6 <= 0,
    announced  = ` + over + ` OR ?6 <= ?5,
    run_at     = CASE WHEN ` + over + ` THEN run_at ELSE now_us() + ?6 END,
    error = ?4, lease_expires_at = NULL, progress = coalesce(?7, progress), attempts = ` + ended + `, 'error', ?4))
WHERE id = ?1 AND status = 'running' AND attempt = ?2
RETURNING status = 'pending'`

	releaseSQL = `
UPDATE tasks SET status = 'pending', tries = max(tries - 1, 0), started_at = NULL, lease_expires_at = NULL,
    due = ?3 <= 0, announced = ?3 <= ?4, run_at = CASE WHEN ?3 <= 0 THEN run_at ELSE now_us() + ?3 END
WHERE id = ?1 AND status = 'running' AND attempt = ?2`
)

// Heartbeat extends the lease of a running attempt; see task.Attempts.
func (s *Store) Heartbeat(ctx context.Context, id uuid.UUID, attempt int, lease time.Duration, progress *task.Progress) error {
	return s.fenced(ctx, "extend the lease of", heartbeatSQL, id, attempt, lease.Microseconds(), task.EncodeProgress(progress))
}

// Complete ends a running attempt with its result.
func (s *Store) Complete(ctx context.Context, id uuid.UUID, attempt int, result json.RawMessage, progress *task.Progress) error {
	return s.fenced(ctx, "complete", completeSQL, id, attempt, task.Text(string(result)), task.EncodeProgress(progress))
}

// Fail ends a running attempt for good with the reason.
func (s *Store) Fail(ctx context.Context, id uuid.UUID, attempt int, reason string, progress *task.Progress) error {
	return s.fenced(ctx, "fail", failSQL, id, attempt, task.Text(reason), task.EncodeProgress(progress))
}

// Requeue makes the task of a running attempt pending again, or fails it after its last attempt; see task.Attempts.
func (s *Store) Requeue(ctx context.Context, id uuid.UUID, attempt int, reason string, after time.Duration, maxAttempts int,
	progress *task.Progress,
) (bool, error) {
	pending, err := one(ctx, s, scanInt, requeueSQL, id[:], attempt, maxAttempts, task.Text(reason), task.MaxDelay.Microseconds(), max(after, 0).Microseconds(),
		task.EncodeProgress(progress))
	if errors.Is(err, sql.ErrNoRows) {
		err = task.ErrLeaseLost
	}
	if err != nil {
		return false, fmt.Errorf("requeue task %s, attempt %d: %w", id, attempt, err)
	}
	return pending == 1, nil
}

// Release returns the task of a running attempt; see task.Attempts.
func (s *Store) Release(ctx context.Context, id uuid.UUID, attempt int, after time.Duration) error {
	return s.fenced(ctx, "release", releaseSQL, id, attempt, max(after, 0).Microseconds(), task.MaxDelay.Microseconds())
}

// fenced runs a statement that writes one row if the attempt still holds the task.
func (s *Store) fenced(ctx context.Context, operation, text string, id uuid.UUID, attempt int, args ...any) error {
	n, err := s.exec(ctx, text, append([]any{id[:], attempt}, args...)...)
	if err == nil && n == 0 {
		err = task.ErrLeaseLost
	}
	if err != nil {
		return fmt.Errorf("%s task %s, attempt %d: %w", operation, id, attempt, err)
	}
	return nil
}
