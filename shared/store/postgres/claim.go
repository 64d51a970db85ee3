package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/shared/task"
)

const (
	// turnSQL waits until no other claim is in progress. Each later statement of the transaction then sees the writes
	// of all earlier claims. They are planned once for all arguments: planning a claim takes longer than running it.
	turnSQL = `SELECT pg_advisory_xact_lock(hashtextextended(concat_ws('/', current_schema(), 'claim'), 0)),
    set_config('plan_cache_mode', 'force_generic_plan', true)`

	// readySQL makes tasks due whose time has come, and fails the expired ones. statement_timestamp() is later than
	// now() if the transaction waited for its turn.
	readySQL = `
WITH expired AS (
    UPDATE tasks SET status = 'failed', error = $2, ended_at = statement_timestamp()
    WHERE id = ANY (ARRAY(SELECT id FROM tasks WHERE status = 'pending' AND expires_at <= statement_timestamp()
        ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))
)
UPDATE tasks SET due = true
WHERE id = ANY (ARRAY(SELECT id FROM tasks WHERE status = 'pending' AND NOT due AND run_at <= statement_timestamp()
    AND coalesce(expires_at > statement_timestamp(), true) ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED))`

	// readied is how many tasks one claim makes due. If more become due at once, later claims make the rest due.
	readied = 100

	// claimSQL counts the running tasks, at most the semaphore, and then reads lanes in the order of their turn. It
	// reads one task of each lane, however many wait. <> ALL and the limits in the lateral queries keep the planner
	// from a join that would read all lanes.
	claimSQL = `
WITH RECURSIVE types AS (
    (SELECT type FROM lanes WHERE waiting ORDER BY type LIMIT 1)
    UNION ALL
    SELECT (SELECT l.type FROM lanes l WHERE l.waiting AND l.type > t.type ORDER BY l.type LIMIT 1) FROM types t WHERE t.type IS NOT NULL
), busy AS MATERIALIZED (
    SELECT type, fairness_key, count(*) AS n FROM tasks WHERE status = 'running' GROUP BY type, fairness_key
), open AS MATERIALIZED (
    SELECT t.type, l.per_key FROM types t LEFT JOIN unnest($2::text[], $3::bigint[], $4::bigint[]) AS l (type, most, per_key) USING (type)
    WHERE t.type IS NOT NULL AND (l.most IS NULL OR (SELECT coalesce(sum(n), 0) FROM busy b WHERE b.type = t.type) < l.most)
), shares AS MATERIALIZED (
    SELECT b.fairness_key, sum(b.n) / coalesce(max(w.weight), 1) AS share
    FROM busy b LEFT JOIN unnest($5::text[], $6::float8[]) AS w (fairness_key, weight) USING (fairness_key) GROUP BY b.fairness_key
), key AS MATERIALIZED (
    SELECT fairness_key FROM (
        SELECT l.fairness_key, 0 AS share, l.served_at
        FROM open o CROSS JOIN LATERAL (
            SELECT l.fairness_key, l.served_at FROM lanes l CROSS JOIN LATERAL (
                SELECT 1 FROM tasks t WHERE t.status = 'pending' AND t.due AND t.type = l.type AND t.fairness_key = l.fairness_key
                    AND coalesce(t.expires_at > statement_timestamp(), true) ORDER BY t.priority, t.id LIMIT 1) t
            WHERE l.waiting AND l.type = o.type AND l.fairness_key <> ALL (ARRAY(SELECT s.fairness_key FROM shares s))
            ORDER BY l.served_at, l.fairness_key LIMIT 1) l
        UNION ALL
        SELECT s.fairness_key, s.share, l.served_at
        FROM open o CROSS JOIN shares s CROSS JOIN LATERAL (
            SELECT l.served_at FROM lanes l CROSS JOIN LATERAL (
                SELECT 1 FROM tasks t WHERE t.status = 'pending' AND t.due AND t.type = l.type AND t.fairness_key = l.fairness_key
                    AND coalesce(t.expires_at > statement_timestamp(), true) ORDER BY t.priority, t.id LIMIT 1) t
            WHERE l.waiting AND l.type = o.type AND l.fairness_key = s.fairness_key LIMIT 1) l
        WHERE o.per_key IS NULL OR (SELECT coalesce(sum(b.n), 0) FROM busy b WHERE b.type = o.type AND b.fairness_key = s.fairness_key) < o.per_key
    ) c ORDER BY share, served_at, fairness_key LIMIT 1
), best AS MATERIALIZED (
    SELECT t.id FROM key k CROSS JOIN open o CROSS JOIN LATERAL (
        SELECT t.id, t.priority FROM tasks t WHERE t.status = 'pending' AND t.due AND t.type = o.type AND t.fairness_key = k.fairness_key
            AND coalesce(t.expires_at > statement_timestamp(), true) ORDER BY t.priority, t.id LIMIT 1 FOR UPDATE SKIP LOCKED) t
    WHERE o.per_key IS NULL OR (SELECT coalesce(sum(b.n), 0) FROM busy b WHERE b.type = o.type AND b.fairness_key = k.fairness_key) < o.per_key
    ORDER BY t.priority, t.id LIMIT 1
)
UPDATE tasks SET status = 'running', attempt = attempt + 1, tries = tries + 1, started_at = statement_timestamp(),
    lease_expires_at = statement_timestamp() + $1::interval
WHERE id = ANY (ARRAY(SELECT id FROM best))
RETURNING ` + columns + columnsOfOne
)

// Claim takes the best task that may start now; see task.Attempts. The statements travel to the server together.
func (s *Store) Claim(ctx context.Context, rules task.ClaimRules) (task.Task, error) {
	types, most, perKey := limits(rules.Limits)
	keys, weights := make([]string, 0, len(rules.Weights)), make([]float64, 0, len(rules.Weights))
	for key, weight := range rules.Weights {
		keys, weights = append(keys, key), append(weights, weight)
	}
	var t task.Task
	var found bool
	err := s.run(ctx, false, func() error {
		batch := &pgx.Batch{}
		batch.Queue(turnSQL)
		batch.Queue(readySQL, readied, task.Expired)
		batch.Queue(claimSQL, rules.Lease, types, most, perKey, keys, weights).Query(func(r pgx.Rows) (err error) {
			if found = r.Next(); found {
				t, err = scanTask(r, true)
			}
			return err
		})
		return s.pool.SendBatch(ctx, batch).Close()
	})
	if err == nil && !found {
		err = task.ErrNothingToClaim
	}
	if err != nil {
		return task.Task{}, fmt.Errorf("claim a task: %w", err)
	}
	return t, nil
}

// limits returns the limits as arrays; nil means no limit.
func limits(of map[string]task.Limit) (types []string, most, perKey []*int64) {
	types = []string{}
	for name, l := range of {
		types = append(types, name)
		closed := int64(0)
		switch {
		case l.Closed:
			most = append(most, &closed)
		default:
			most = append(most, given(int64(l.MaxRunning)))
		}
		perKey = append(perKey, given(int64(l.MaxRunningPerKey)))
	}
	return types, most, perKey
}

const loadSQL = `
SELECT (SELECT count(*) FROM (SELECT 1 FROM tasks WHERE status = 'pending' AND due LIMIT $1) t),
    (SELECT count(*) FROM tasks WHERE status = 'running')`

// Load counts the tasks to do; see task.Attempts.
func (s *Store) Load(ctx context.Context, most int) (load task.Load, err error) {
	scan := func(r pgx.Row) error { return r.Scan(&load.Waiting, &load.Running) }
	if err := s.row(ctx, true, scan, loadSQL, most); err != nil {
		return load, fmt.Errorf("count tasks: %w", err)
	}
	return load, nil
}
