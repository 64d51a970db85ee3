package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/shared/task"
)

// The statements of the sweeper find their rows through small partial indexes, lock what no other sweeper has, and
// write by id = ANY (array): the planner expects few elements of an array, where it expects a tenth of the table from a
// LIMIT whose value it does not know, and would read all of it.
const (
	unsentSQL = `
WITH new AS (
    SELECT id FROM tasks WHERE status = 'pending' AND enqueued_at IS NULL AND send_after <= now()
    ORDER BY send_after LIMIT $1 FOR UPDATE SKIP LOCKED
), lost AS (
    SELECT id FROM tasks WHERE status = 'pending' AND enqueued_at IS NOT NULL AND enqueued_at < now() - $3::interval
    ORDER BY enqueued_at LIMIT greatest($1::bigint - (SELECT count(*) FROM new), 0) FOR UPDATE SKIP LOCKED
), held AS (
    UPDATE tasks SET enqueued_at = NULL, send_after = now() + $2::interval
    WHERE id = ANY (ARRAY(SELECT id FROM new UNION ALL SELECT id FROM lost))
    RETURNING id
)
SELECT id FROM held ORDER BY id`

	rescueSQL = `
WITH expired AS (
    SELECT id FROM tasks WHERE status = 'running' AND lease_expires_at <= now()
    ORDER BY lease_expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE tasks SET
    status      = CASE WHEN tries >= $2 THEN 'failed' ELSE 'pending' END,
    ended_at    = CASE WHEN tries >= $2 THEN now() END,
    started_at  = CASE WHEN tries >= $2 THEN started_at END,
    enqueued_at = CASE WHEN tries >= $2 THEN enqueued_at END,
    send_after  = now() + $3::interval * power(2, least(greatest(tries - 1, 0), 20)),
    error = $4, lease_expires_at = NULL
WHERE id = ANY (ARRAY(SELECT id FROM expired))
RETURNING id, attempt, status = 'failed', (extract(epoch FROM send_after - now()) * 1000000)::bigint`

	// settleSQL counts a pending task's lost message as a try of its own; a running one's was counted by its claim.
	settleSQL = `
WITH given_up AS (
    SELECT id, CASE WHEN status = 'pending' THEN tries + 1 ELSE tries END AS counted FROM tasks
    WHERE id = $1 AND (status = 'pending' OR status = 'running' AND lease_expires_at <= now())
    FOR UPDATE
)
UPDATE tasks SET
    status      = CASE WHEN counted >= $2 THEN 'failed' ELSE 'pending' END,
    ended_at    = CASE WHEN counted >= $2 THEN now() END,
    started_at  = CASE WHEN counted >= $2 THEN started_at END,
    enqueued_at = CASE WHEN counted >= $2 THEN enqueued_at END,
    send_after  = now() + $3::interval * power(2, least(greatest(counted - 1, 0), 20)),
    error = $4, tries = counted, lease_expires_at = NULL
FROM given_up WHERE tasks.id = given_up.id
RETURNING tasks.id, attempt, status = 'failed', (extract(epoch FROM send_after - now()) * 1000000)::bigint`

	purgeSQL = `
WITH ended AS (
    DELETE FROM tasks WHERE id = ANY (ARRAY(
        SELECT id FROM tasks WHERE status IN ('completed', 'failed') AND ended_at < now() - $2::interval
        ORDER BY ended_at LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING 1
), cancelled AS (
    DELETE FROM tasks WHERE id = ANY (ARRAY(
        SELECT id FROM tasks WHERE status = 'cancelled' AND ended_at < now() - $3::interval
        ORDER BY ended_at LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING 1
), keys AS (
    DELETE FROM idempotency_keys WHERE key = ANY (ARRAY(
        SELECT key FROM idempotency_keys WHERE created_at < now() - $4::interval
        ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT (SELECT count(*) FROM ended) + (SELECT count(*) FROM cancelled) + (SELECT count(*) FROM keys)`
)

// Unsent returns tasks whose message is to be sent and holds them; see task.Upkeep.
func (s *Store) Unsent(ctx context.Context, limit int, hold, resendAfter time.Duration) ([]uuid.UUID, error) {
	ids, err := rows(ctx, s, false, func(r pgx.CollectableRow) (id uuid.UUID, err error) {
		err = r.Scan((*[16]byte)(&id))
		return id, err
	}, unsentSQL, limit, hold, resendAfter)
	if err != nil {
		return nil, fmt.Errorf("find unsent tasks: %w", err)
	}
	return ids, nil
}

// Rescue takes running tasks whose lease expired; see task.Upkeep.
func (s *Store) Rescue(ctx context.Context, limit int, retry task.RetryPolicy) ([]task.Rescued, error) {
	list, err := rows(ctx, s, true, scanRescued, rescueSQL, limit, retry.MaxAttempts, retry.Backoff, task.Text(retry.Reason))
	if err != nil {
		return nil, fmt.Errorf("rescue tasks: %w", err)
	}
	return list, nil
}

// Settle is Rescue for one task whose message the queue gave up on; see task.Upkeep.
func (s *Store) Settle(ctx context.Context, id uuid.UUID, retry task.RetryPolicy) ([]task.Rescued, error) {
	list, err := rows(ctx, s, false, scanRescued, settleSQL, [16]byte(id), retry.MaxAttempts, retry.Backoff, task.Text(retry.Reason))
	if err != nil {
		return nil, fmt.Errorf("settle task %s: %w", id, err)
	}
	return list, nil
}

func scanRescued(r pgx.CollectableRow) (rescued task.Rescued, err error) {
	var micros int64
	err = r.Scan((*[16]byte)(&rescued.ID), &rescued.Attempt, &rescued.Failed, &micros)
	rescued.Due = time.Duration(micros) * time.Microsecond
	return rescued, err
}

// Purge deletes rows of no more use; see task.Upkeep.
func (s *Store) Purge(ctx context.Context, limit int, keep task.Retention) (int, error) {
	var n int
	scan := func(r pgx.Row) error { return r.Scan(&n) }
	err := s.row(ctx, true, scan, purgeSQL, limit, keep.Ended, keep.Cancelled, task.KeyLifetime)
	if err != nil {
		return 0, fmt.Errorf("purge tasks: %w", err)
	}
	return n, nil
}
