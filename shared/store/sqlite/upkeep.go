package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

// The statements of the sweeper find their rows through small partial indexes, whose conditions they repeat verbatim.
const (
	announceSQL = `
UPDATE tasks SET announced = 1
WHERE id IN (SELECT id FROM tasks WHERE status = 'pending' AND due = 0 AND announced = 0 AND run_at <= now_us() + ?2 ORDER BY run_at LIMIT ?1)
RETURNING id, fairness_key, coalesce(trace, ''), max(run_at - now_us(), 0)`

	// lost is the condition of a task's last attempt; ?2 is the sweeper's limit. wait is the backoff after it.
	lost = `tries >= coalesce(max_attempts, ?2)`
	wait = `(?3 * (1 << min(max(tries - 1, 0), 20)))`

	// rescueSQL reads all running tasks, at most as many as the semaphore allows.
	rescueSQL = `
UPDATE tasks SET
    status     = CASE WHEN ` + lost + ` THEN 'failed' ELSE 'pending' END,
    ended_at   = CASE WHEN ` + lost + ` THEN now_us() END,
    started_at = CASE WHEN ` + lost + ` THEN started_at END,
    due        = ` + lost + ` OR ` + wait + ` <= 0,
    announced  = ` + lost + ` OR ` + wait + ` <= ?5,
    run_at     = CASE WHEN ` + lost + ` THEN run_at ELSE now_us() + ` + wait + ` END,
    error = ?4, lease_expires_at = NULL, attempts = ` + ended + `, 'error', ?4))
WHERE id IN (SELECT id FROM tasks WHERE status = 'running' AND lease_expires_at <= now_us() LIMIT ?1)
RETURNING id, fairness_key, attempt, status = 'failed', ` + wait

	purgeEndedSQL = `
DELETE FROM tasks WHERE id IN (
    SELECT id FROM tasks WHERE status IN ('completed', 'failed') AND ended_at < now_us() - ?2 ORDER BY ended_at LIMIT ?1)`

	purgeCancelledSQL = `
DELETE FROM tasks WHERE id IN (
    SELECT id FROM tasks WHERE status = 'cancelled' AND ended_at < now_us() - ?2 ORDER BY ended_at LIMIT ?1)`

	purgeKeysSQL = `
DELETE FROM idempotency_keys WHERE key IN (
    SELECT key FROM idempotency_keys WHERE created_at < now_us() - ?2 ORDER BY created_at LIMIT ?1)`

	purgeLanesSQL = `
DELETE FROM lanes WHERE (fairness_key, type) IN (
    SELECT fairness_key, type FROM lanes WHERE waiting = 0 AND served_at < now_us() - ?2 ORDER BY served_at LIMIT ?1)`
)

// Wake makes tasks due; see task.Upkeep.
func (s *Store) Wake(ctx context.Context, limit int) (int, error) {
	n, err := s.exec(ctx, wakeSQL, limit)
	if err != nil {
		return 0, fmt.Errorf("wake tasks: %w", err)
	}
	return int(n), nil
}

// Announce returns the permits of tasks that are due soon; see task.Upkeep.
func (s *Store) Announce(ctx context.Context, limit int) ([]task.Permit, error) {
	list, err := query(ctx, s, func(r row) (p task.Permit, err error) {
		var id []byte
		var micros int64
		if err := r.Scan(&id, &p.FairnessKey, &p.Trace, &micros); err != nil {
			return p, err
		}
		p.Delay = time.Duration(micros) * time.Microsecond
		p.Task, err = uuid.FromBytes(id)
		return p, err
	}, announceSQL, limit, task.MaxDelay.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("announce tasks: %w", err)
	}
	return list, nil
}

// Expire fails tasks that have not started in time; see task.Upkeep.
func (s *Store) Expire(ctx context.Context, limit int) ([]uuid.UUID, error) {
	ids, err := query(ctx, s, func(r row) (uuid.UUID, error) {
		var id []byte
		if err := r.Scan(&id); err != nil {
			return uuid.Nil, err
		}
		return uuid.FromBytes(id)
	}, expireSQL, limit, task.Expired)
	if err != nil {
		return nil, fmt.Errorf("expire tasks: %w", err)
	}
	return ids, nil
}

// Rescue takes running tasks whose lease expired; see task.Upkeep.
func (s *Store) Rescue(ctx context.Context, limit int, retry task.RetryPolicy) ([]task.Rescued, error) {
	list, err := query(ctx, s, func(r row) (rescued task.Rescued, err error) {
		var id []byte
		var micros int64
		if err := r.Scan(&id, &rescued.FairnessKey, &rescued.Attempt, &rescued.Failed, &micros); err != nil {
			return rescued, err
		}
		rescued.Due = time.Duration(micros) * time.Microsecond
		rescued.ID, err = uuid.FromBytes(id)
		return rescued, err
	}, rescueSQL, limit, retry.MaxAttempts, retry.Backoff.Microseconds(), task.Text(retry.Reason), task.MaxDelay.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("rescue tasks: %w", err)
	}
	return list, nil
}

// Purge deletes old rows; see task.Upkeep.
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
		_, err := conn.ExecContext(ctx, purgeLanesSQL, limit, task.KeyLifetime.Microseconds())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("purge tasks: %w", err)
	}
	return int(total), nil
}
