package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/shared/task"
)

const (
	// turnSQL waits until no claim is under way, and keeps others out until the transaction ends. Each later statement sees
	// what all earlier claims have written.
	turnSQL = `SELECT pg_advisory_xact_lock(hashtextextended(concat_ws('/', current_schema(), 'claim'), 0)),
    set_config('plan_cache_mode', 'force_generic_plan', true)`

	// readied is how many tasks one claim makes due. If more become due at once, later claims take the rest.
	readied = 100

	// claimSQL calls the schema's function, which chooses. Migration 000003 explains the choice.
	claimSQL = `SELECT ` + columns + columnsOfOne + ` FROM claim_task($1, $2, $3, $4, $5, $6, $7, $8)`
)

// Claim takes the best task that may start now; see task.Attempts.
func (s *Store) Claim(ctx context.Context, rules task.ClaimRules) (task.Task, error) {
	types, most, perKey := limits(rules.Limits)
	keys, weights := make([]string, 0, len(rules.Weights)), make([]float64, 0, len(rules.Weights))
	for key, weight := range rules.Weights {
		keys, weights = append(keys, key), append(weights, weight)
	}
	t, err := s.one(ctx, false, claimSQL, rules.Lease, task.Expired, readied, types, most, perKey, keys, weights)
	if errors.Is(err, pgx.ErrNoRows) {
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
