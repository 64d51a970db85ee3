package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/eragon-mdi/ksu/shared/task"
)

const (
	// unexpired is a task's condition to start.
	unexpired = `(expires_at IS NULL OR expires_at > now_us())`

	// runningOf counts the running tasks of a type and key.
	runningOf = `coalesce((SELECT b.n FROM busy b WHERE b.type = o.type AND b.fairness_key = k.fairness_key), 0)`

	// claimSQL counts the running tasks, at most the semaphore, and then reads lanes in the order of their turn. It
	// reads one task of each lane, however many wait. Its arguments are the lease, and the limits and weights as JSON.
	claimSQL = `
WITH RECURSIVE types (type) AS (
    SELECT (SELECT type FROM lanes WHERE waiting = 1 ORDER BY type LIMIT 1)
    UNION ALL
    SELECT (SELECT l.type FROM lanes l WHERE l.waiting = 1 AND l.type > t.type ORDER BY l.type LIMIT 1) FROM types t WHERE t.type IS NOT NULL
), busy AS MATERIALIZED (
    SELECT type, fairness_key, count(*) AS n FROM tasks WHERE status = 'running' GROUP BY type, fairness_key
), open AS MATERIALIZED (
    SELECT t.type, l.value ->> 'per_key' AS per_key FROM types t LEFT JOIN json_each(?2) l ON l.key = t.type
    WHERE t.type IS NOT NULL AND
        (l.value ->> 'most' IS NULL OR (SELECT coalesce(sum(n), 0) FROM busy b WHERE b.type = t.type) < l.value ->> 'most')
), shares AS MATERIALIZED (
    SELECT b.fairness_key, sum(b.n) / coalesce(max(w.value), 1.0) AS share
    FROM busy b LEFT JOIN json_each(?3) w ON w.key = b.fairness_key GROUP BY b.fairness_key
), keys AS MATERIALIZED (
    SELECT (
        SELECT l.fairness_key FROM lanes l WHERE l.waiting = 1 AND l.type = o.type AND l.fairness_key NOT IN (SELECT fairness_key FROM shares)
            AND EXISTS (SELECT 1 FROM tasks t WHERE status = 'pending' AND due = 1 AND t.type = l.type AND t.fairness_key = l.fairness_key AND ` + unexpired + `)
        ORDER BY l.served_at, l.fairness_key LIMIT 1) AS fairness_key, 0 AS share
    FROM open o
    UNION ALL
    SELECT k.fairness_key, k.share FROM open o CROSS JOIN shares k
    WHERE (o.per_key IS NULL OR ` + runningOf + ` < o.per_key)
        AND EXISTS (SELECT 1 FROM tasks t WHERE status = 'pending' AND due = 1 AND t.type = o.type AND t.fairness_key = k.fairness_key AND ` + unexpired + `)
), key AS MATERIALIZED (
    SELECT k.fairness_key FROM keys k WHERE k.fairness_key IS NOT NULL
    ORDER BY k.share, (SELECT max(l.served_at) FROM lanes l WHERE l.fairness_key = k.fairness_key), k.fairness_key LIMIT 1
), first AS MATERIALIZED (
    SELECT (SELECT t.id FROM tasks t WHERE status = 'pending' AND due = 1 AND t.type = o.type AND t.fairness_key = k.fairness_key AND ` + unexpired + `
        ORDER BY priority, id LIMIT 1) AS id
    FROM key k CROSS JOIN open o WHERE o.per_key IS NULL OR ` + runningOf + ` < o.per_key
)
UPDATE tasks SET status = 'running', attempt = attempt + 1, tries = tries + 1, started_at = now_us(), lease_expires_at = now_us() + ?1
WHERE id = (SELECT t.id FROM first f JOIN tasks t ON t.id = f.id ORDER BY t.priority, t.id LIMIT 1)
RETURNING ` + columns + columnsOfOne

	wakeSQL = `
UPDATE tasks SET due = 1
WHERE id IN (SELECT id FROM tasks WHERE status = 'pending' AND due = 0 AND run_at <= now_us() ORDER BY run_at LIMIT ?1)`

	expireSQL = `
UPDATE tasks SET status = 'failed', error = ?2, ended_at = now_us()
WHERE id IN (SELECT id FROM tasks WHERE status = 'pending' AND expires_at IS NOT NULL AND expires_at <= now_us() ORDER BY expires_at LIMIT ?1)
RETURNING id`

	loadSQL = `
SELECT (SELECT count(*) FROM (SELECT 1 FROM tasks WHERE status = 'pending' AND due = 1 LIMIT ?1)),
    (SELECT count(*) FROM tasks WHERE status = 'running')`
)

// readied is how many tasks one claim makes due. If more become due at once, later claims make the rest due.
const readied = 100

// Claim takes the best task that may start now; see task.Attempts.
func (s *Store) Claim(ctx context.Context, rules task.ClaimRules) (task.Task, error) {
	limits, weights, err := ruleArgs(rules)
	if err != nil {
		return task.Task{}, fmt.Errorf("claim a task: %w", err)
	}
	if _, err := s.Wake(ctx, readied); err != nil {
		return task.Task{}, err
	}
	if _, err := s.Expire(ctx, readied); err != nil {
		return task.Task{}, err
	}
	t, err := one(ctx, s, scanWhole, claimSQL, rules.Lease.Microseconds(), limits, weights)
	if errors.Is(err, sql.ErrNoRows) {
		err = task.ErrNothingToClaim
	}
	if err != nil {
		return task.Task{}, fmt.Errorf("claim a task: %w", err)
	}
	return t, nil
}

// ruleArgs returns the limits and weights of a claim as JSON objects.
func ruleArgs(rules task.ClaimRules) (limits, weights string, err error) {
	if len(rules.Limits)+len(rules.Weights) == 0 {
		return "{}", "{}", nil
	}
	byType := map[string]map[string]int{}
	for name, l := range rules.Limits {
		limit := map[string]int{}
		if l.MaxRunning > 0 || l.Closed {
			limit["most"] = l.MaxRunning
		}
		if l.Closed {
			limit["most"] = 0
		}
		if l.MaxRunningPerKey > 0 {
			limit["per_key"] = l.MaxRunningPerKey
		}
		byType[name] = limit
	}
	l, err := json.Marshal(byType)
	if err != nil {
		return "", "", fmt.Errorf("encode the limits: %w", err)
	}
	weighted := rules.Weights
	if weighted == nil {
		weighted = map[string]float64{}
	}
	w, err := json.Marshal(weighted)
	if err != nil {
		return "", "", fmt.Errorf("encode the weights: %w", err)
	}
	return string(l), string(w), nil
}

// Load counts the tasks to do; see task.Attempts.
func (s *Store) Load(ctx context.Context, most int) (task.Load, error) {
	load, err := one(ctx, s, func(r row) (l task.Load, err error) {
		err = r.Scan(&l.Waiting, &l.Running)
		return l, err
	}, loadSQL, most)
	if err != nil {
		return load, fmt.Errorf("count tasks: %w", err)
	}
	return load, nil
}
