package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

// The statements of the sweeper find their rows through small partial indexes, whose conditions they repeat word by word.
const (
	unsentSQL = `
WITH new AS MATERIALIZED (
    SELECT id FROM tasks WHERE status = 'pending' AND enqueued_at IS NULL AND send_after <= now_us()
    ORDER BY send_after, id LIMIT ?1
), lost AS MATERIALIZED (
    SELECT id FROM tasks WHERE status = 'pending' AND enqueued_at IS NOT NULL AND enqueued_at < now_us() - ?3
    ORDER BY enqueued_at, id LIMIT max(?1 - (SELECT count(*) FROM new), 0)
)
UPDATE tasks SET enqueued_at = NULL, send_after = now_us() + ?2
WHERE id IN (SELECT id FROM new UNION ALL SELECT id FROM lost)
RETURNING id`

	rescueSQL = `
UPDATE tasks SET
    status      = CASE WHEN tries >= ?2 THEN 'failed' ELSE 'pending' END,
    ended_at    = CASE WHEN tries >= ?2 THEN now_us() END,
    started_at  = CASE WHEN tries >= ?2 THEN started_at END,
    enqueued_at = CASE WHEN tries >= ?2 THEN enqueued_at END,
    send_after  = now_us() + ?3 * (1 << min(max(tries - 1, 0), 20)),
    error = ?4, lease_expires_at = NULL
WHERE id IN (
    SELECT id FROM tasks WHERE status = 'running' AND lease_expires_at <= now_us() ORDER BY lease_expires_at LIMIT ?1)
RETURNING id, attempt, status = 'failed', send_after - now_us()`

	// counted are a task's tries once its message is given up: a pending task's lost message is a try of its own; a running
	// one's was counted by its claim.
	counted = `(tries + (status = 'pending'))`

	settleSQL = `
UPDATE tasks SET
    status      = CASE WHEN ` + counted + ` >= ?2 THEN 'failed' ELSE 'pending' END,
    ended_at    = CASE WHEN ` + counted + ` >= ?2 THEN now_us() END,
    started_at  = CASE WHEN ` + counted + ` >= ?2 THEN started_at END,
    enqueued_at = CASE WHEN ` + counted + ` >= ?2 THEN enqueued_at END,
    send_after  = now_us() + ?3 * (1 << min(max(` + counted + ` - 1, 0), 20)),
    error = ?4, tries = ` + counted + `, lease_expires_at = NULL
WHERE id = ?1 AND (status = 'pending' OR status = 'running' AND lease_expires_at <= now_us())
RETURNING id, attempt, status = 'failed', send_after - now_us()`

	purgeEndedSQL = `
DELETE FROM tasks WHERE id IN (
    SELECT id FROM tasks WHERE status IN ('completed', 'failed') AND ended_at < now_us() - ?2 ORDER BY ended_at LIMIT ?1)`

	purgeCancelledSQL = `
DELETE FROM tasks WHERE id IN (
    SELECT id FROM tasks WHERE status = 'cancelled' AND ended_at < now_us() - ?2 ORDER BY ended_at LIMIT ?1)`

	purgeKeysSQL = `
DELETE FROM idempotency_keys WHERE key IN (
    SELECT key FROM idempotency_keys WHERE created_at < now_us() - ?2 ORDER BY created_at LIMIT ?1)`
)

// Unsent returns tasks whose message is to be sent and holds them; see task.Upkeep.
func (s *Store) Unsent(ctx context.Context, limit int, hold, resendAfter time.Duration) ([]uuid.UUID, error) {
	ids, err := query(ctx, s, func(r row) (uuid.UUID, error) {
		var id []byte
		if err := r.Scan(&id); err != nil {
			return uuid.Nil, err
		}
		return uuid.FromBytes(id)
	}, unsentSQL, limit, hold.Microseconds(), resendAfter.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("find unsent tasks: %w", err)
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return ids, nil
}

// Rescue takes running tasks whose lease expired; see task.Upkeep.
func (s *Store) Rescue(ctx context.Context, limit int, retry task.RetryPolicy) ([]task.Rescued, error) {
	list, err := s.rescue(ctx, rescueSQL, limit, retry)
	if err != nil {
		return nil, fmt.Errorf("rescue tasks: %w", err)
	}
	return list, nil
}

// Settle is Rescue for one task whose message the queue gave up on; see task.Upkeep.
func (s *Store) Settle(ctx context.Context, id uuid.UUID, retry task.RetryPolicy) ([]task.Rescued, error) {
	list, err := s.rescue(ctx, settleSQL, id[:], retry)
	if err != nil {
		return nil, fmt.Errorf("settle task %s: %w", id, err)
	}
	return list, nil
}

// rescue runs a statement that returns the rescued tasks; which says what it takes.
func (s *Store) rescue(ctx context.Context, text string, which any, retry task.RetryPolicy) ([]task.Rescued, error) {
	return query(ctx, s, func(r row) (rescued task.Rescued, err error) {
		var id []byte
		var micros int64
		if err := r.Scan(&id, &rescued.Attempt, &rescued.Failed, &micros); err != nil {
			return rescued, err
		}
		rescued.Due = time.Duration(micros) * time.Microsecond
		rescued.ID, err = uuid.FromBytes(id)
		return rescued, err
	}, text, which, retry.MaxAttempts, retry.Backoff.Microseconds(), task.Text(retry.Reason))
}

// Purge deletes rows of no more use; see task.Upkeep.
func (s *Store) Purge(ctx context.Context, limit int, keep task.Retention) (int, error) {
	var total int64
	err := s.transaction(ctx, func(conn *sql.Conn) error {
		total = 0
		for text, age := range map[string]time.Duration{
			purgeEndedSQL: keep.Ended, purgeCancelledSQL: keep.Cancelled, purgeKeysSQL: task.KeyLifetime,
		} {
			result, err := conn.ExecContext(ctx, text, limit, age.Microseconds())
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			total += n
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("purge tasks: %w", err)
	}
	return int(total), nil
}
