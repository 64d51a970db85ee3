package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eragon-mdi/ksu/shared/task"
)

// The statements of the sweeper find their rows through small partial indexes, lock the rows that no other sweeper
// holds, and write by id = ANY (array). The planner expects few elements of an array. For a LIMIT with an unknown value
// it expects a tenth of the table, and would read all of it.
const (
	announceSQL = `
UPDATE tasks SET announced = true
WHERE id = ANY (ARRAY(SELECT id FROM tasks WHERE status = 'pending' AND NOT due AND NOT announced AND run_at <= now() + $2::interval
    ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING id, fairness_key, coalesce(trace, ''), greatest(run_at - now(), '0')`

	wakeSQL = `
UPDATE tasks SET due = true
WHERE id = ANY (ARRAY(SELECT id FROM tasks WHERE status = 'pending' AND NOT due AND run_at <= now()
    ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED))`

	// closeSQL closes open, empty lanes; two concurrent deletions may leave one.
	closeSQL = `SELECT lanes_close()`

	expireSQL = `
UPDATE tasks SET status = 'failed', error = $2, ended_at = now()
WHERE id = ANY (ARRAY(SELECT id FROM tasks WHERE status = 'pending' AND expires_at <= now()
    ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING id`

	// rescueSQL reads all running tasks, at most as many as the semaphore allows.
	rescueSQL = `
UPDATE tasks SET ` + again + `
FROM (
    SELECT id, tries >= coalesce(max_attempts, $2) AS over, $3::interval * power(2, least(greatest(tries - 1, 0), 20)) AS wait
    FROM tasks WHERE id = ANY (ARRAY(SELECT id FROM tasks WHERE status = 'running' AND lease_expires_at <= now()
        ORDER BY lease_expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))
) a
WHERE tasks.id = a.id AND status = 'running' AND lease_expires_at <= now()
RETURNING tasks.id, fairness_key, attempt, over, (extract(epoch FROM wait) * 1000000)::bigint`

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
), lanes AS (
    DELETE FROM lanes WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM lanes WHERE NOT waiting AND served_at < now() - $4::interval
        ORDER BY served_at LIMIT $1 FOR UPDATE SKIP LOCKED))
)
SELECT (SELECT count(*) FROM ended) + (SELECT count(*) FROM cancelled) + (SELECT count(*) FROM keys)`
)

// Wake makes tasks due; see task.Upkeep.
func (s *Store) Wake(ctx context.Context, limit int) (n int, err error) {
	err = s.inTurn(ctx, func(batch *pgx.Batch) {
		batch.Queue(wakeSQL, limit).Exec(func(tag pgconn.CommandTag) error {
			n = int(tag.RowsAffected())
			return nil
		})
		batch.Queue(closeSQL)
	})
	if err != nil {
		return 0, fmt.Errorf("wake tasks: %w", err)
	}
	return n, nil
}

// Announce returns the permits of tasks that are due soon; see task.Upkeep.
func (s *Store) Announce(ctx context.Context, limit int) ([]task.Permit, error) {
	list, err := rows(ctx, s, false, func(r pgx.CollectableRow) (p task.Permit, err error) {
		err = r.Scan((*[16]byte)(&p.Task), &p.FairnessKey, &p.Trace, &p.Delay)
		return p, err
	}, announceSQL, limit, task.MaxDelay)
	if err != nil {
		return nil, fmt.Errorf("announce tasks: %w", err)
	}
	return list, nil
}

// Expire fails tasks that have not started in time; see task.Upkeep.
func (s *Store) Expire(ctx context.Context, limit int) (ids []uuid.UUID, err error) {
	err = s.inTurn(ctx, func(batch *pgx.Batch) {
		batch.Queue(expireSQL, limit, task.Expired).Query(func(found pgx.Rows) (err error) {
			ids, err = pgx.CollectRows(found, func(r pgx.CollectableRow) (id uuid.UUID, err error) {
				err = r.Scan((*[16]byte)(&id))
				return id, err
			})
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("expire tasks: %w", err)
	}
	return ids, nil
}

// Rescue takes running tasks whose lease expired; see task.Upkeep.
func (s *Store) Rescue(ctx context.Context, limit int, retry task.RetryPolicy) (list []task.Rescued, err error) {
	err = s.inTurn(ctx, func(batch *pgx.Batch) {
		batch.Queue(rescueSQL, limit, retry.MaxAttempts, retry.Backoff, task.Text(retry.Reason), task.MaxDelay).Query(func(found pgx.Rows) (err error) {
			list, err = pgx.CollectRows(found, scanRescued)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("rescue tasks: %w", err)
	}
	return list, nil
}

// inTurn runs a statement that may move tasks of several lanes. It takes a claim's turn, so that it cannot deadlock
// with a claim over a lane.
func (s *Store) inTurn(ctx context.Context, statement func(*pgx.Batch)) error {
	return s.run(ctx, true, func() error {
		batch := &pgx.Batch{}
		batch.Queue(turnSQL)
		statement(batch)
		return s.pool.SendBatch(ctx, batch).Close()
	})
}

func scanRescued(r pgx.CollectableRow) (rescued task.Rescued, err error) {
	var micros int64
	err = r.Scan((*[16]byte)(&rescued.ID), &rescued.FairnessKey, &rescued.Attempt, &rescued.Failed, &micros)
	rescued.Due = time.Duration(micros) * time.Microsecond
	return rescued, err
}

// Purge deletes old rows; see task.Upkeep.
func (s *Store) Purge(ctx context.Context, limit int, keep task.Retention) (int, error) {
	var n int
	scan := func(r pgx.Row) error { return r.Scan(&n) }
	err := s.row(ctx, true, scan, purgeSQL, limit, keep.Ended, keep.Cancelled, task.KeyLifetime)
	if err != nil {
		return 0, fmt.Errorf("purge tasks: %w", err)
	}
	return n, nil
}
