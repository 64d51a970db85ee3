package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/shared/task"
)

const (
	// insertSQL and submittedSQL insert a submission. Its arguments are those of submissionArgs after the id.
	insertSQL = `
INSERT INTO tasks (id, created_at, send_after, type, payload, owner, fairness_key, priority, run_at, due, announced, expires_at, max_attempts,
    timeout, tags, metadata, trace)`
	submittedSQL = ` now(), now() + interval '10 s', $2, $3::json, $4, $5, $6, run_at, coalesce(run_at <= now(), true),
    coalesce(run_at <= now() + $7::interval, true), coalesce(now() + $10::interval, $11::timestamptz), $12, $13::interval, $14::text[], $15::jsonb, $16
FROM (SELECT coalesce(now() + $8::interval, $9::timestamptz) AS run_at) r`

	createSQL = insertSQL + ` SELECT $1,` + submittedSQL + ` RETURNING created_at`

	// createAgainSQL replaces createSQL after a lost connection, when the commit is uncertain. The id is new, so a row
	// with it is this one.
	createAgainSQL = insertSQL + ` SELECT $1,` + submittedSQL + ` ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING created_at`

	// createKeyedSQL takes the key and, if it is free, creates the task. The update of a valid key changes nothing. It
	// waits for another transaction with this key and returns that one's row, which a plain SELECT in this statement
	// cannot see.
	createKeyedSQL = `
WITH k AS (
    INSERT INTO idempotency_keys AS old (key, request, task_id) VALUES ($17, $18, $1)
    ON CONFLICT (key) DO UPDATE SET
        request    = CASE WHEN old.created_at < now() - $19::interval THEN excluded.request    ELSE old.request    END,
        task_id    = CASE WHEN old.created_at < now() - $19::interval THEN excluded.task_id    ELSE old.task_id    END,
        created_at = CASE WHEN old.created_at < now() - $19::interval THEN excluded.created_at ELSE old.created_at END
    RETURNING task_id, request, created_at
), t AS (` + insertSQL + ` SELECT k.task_id,` + submittedSQL + ` JOIN k ON k.task_id = $1 ON CONFLICT (id) DO NOTHING
)
SELECT task_id, created_at, request = $18 FROM k`

	// columns are those of each task. A list adds only a short result; columnsOfOne are all columns that can be large.
	columns = `id, status, coalesce(error, ''), attempt, created_at,
    coalesce(greatest(extract(epoch FROM coalesce(ended_at, now()) - started_at), 0) * 1000000, 0)::bigint,
    type, owner, fairness_key, priority, coalesce(run_at, created_at), coalesce(max_attempts, 0), coalesce(timeout, '0'),
    expires_at, tags, coalesce(trace, ''), progress::text`
	resultSQL    = `CASE WHEN typed THEN result ELSE to_json(result)::text END`
	columnsOfOne = `, ` + resultSQL + `, payload::text, metadata::text, attempts::text`

	getSQL = `SELECT ` + columns + columnsOfOne + ` FROM tasks WHERE id = $1 AND status <> 'cancelled'`

	cancelSQL = `
UPDATE tasks SET status = 'cancelled', ended_at = now(), lease_expires_at = NULL
WHERE id = $1 AND status <> 'cancelled'`

	retrySQL = `
UPDATE tasks SET status = 'pending', due = true, announced = true, run_at = now(), tries = 0, started_at = NULL, ended_at = NULL,
    expires_at = NULL, progress = NULL
WHERE id = $1 AND status = 'failed'
RETURNING ` + columns + columnsOfOne

	updateSQL = `
UPDATE tasks SET priority = coalesce($2, priority), run_at = coalesce($3::timestamptz, run_at),
    due       = CASE WHEN $3::timestamptz IS NULL THEN due ELSE $3::timestamptz <= now() END,
    announced = CASE WHEN $3::timestamptz IS NULL THEN announced ELSE $3::timestamptz <= now() + $4::interval END
WHERE id = $1 AND status = 'pending'
RETURNING ` + columns + columnsOfOne
)

// Create writes a new task; see task.Submissions.
func (s *Store) Create(ctx context.Context, id uuid.UUID, submission task.Submission, key task.Key) (task.Task, bool, error) {
	submission = submission.WithDefaults()
	args, err := submissionArgs(id, submission)
	if err != nil {
		return task.Task{}, false, fmt.Errorf("insert task %s: %w", id, err)
	}
	if key.Name != "" {
		return s.createKeyed(ctx, id, submission, key, args)
	}
	var created time.Time
	sql := createSQL
	err = s.run(ctx, true, func() error {
		text := sql
		sql = createAgainSQL
		return s.pool.QueryRow(ctx, text, args...).Scan(&created)
	})
	if err != nil {
		return task.Task{}, false, fmt.Errorf("insert task %s: %w", id, err)
	}
	return task.New(id, submission, created), true, nil
}

func (s *Store) createKeyed(ctx context.Context, id uuid.UUID, submission task.Submission, key task.Key, args []any) (task.Task, bool, error) {
	request := key.Request
	if request == nil {
		request = []byte{} // nil would be NULL
	}
	var owner uuid.UUID
	var created time.Time
	var same bool
	scan := func(r pgx.Row) error { return r.Scan((*[16]byte)(&owner), &created, &same) }
	err := s.row(ctx, true, scan, createKeyedSQL, append(args, key.Name, request, task.KeyLifetime)...)
	switch {
	case err != nil:
		return task.Task{}, false, fmt.Errorf("insert task %s with a key: %w", id, err)
	case !same:
		return task.Task{}, false, fmt.Errorf("insert task %s: %w", id, task.ErrKeyReused)
	}
	return task.New(owner, submission, created), owner == id, nil
}

// submissionArgs returns the arguments of the statements that insert a submission. nil is NULL.
func submissionArgs(id uuid.UUID, s task.Submission) ([]any, error) {
	var payload, metadata, trace *string
	if s.Payload != nil {
		text := string(s.Payload)
		payload = &text
	}
	if s.Metadata != nil {
		text, err := json.Marshal(s.Metadata)
		if err != nil {
			return nil, fmt.Errorf("encode the metadata: %w", err)
		}
		asText := string(text)
		metadata = &asText
	}
	if s.Trace != "" {
		trace = &s.Trace
	}
	tags := s.Tags
	if tags == nil {
		tags = []string{}
	}
	return []any{[16]byte(id), s.Type, payload, s.Owner, s.FairnessKey, s.Priority, task.MaxDelay, given(s.Delay), given(s.RunAt),
		given(s.TTL), given(s.ExpiresAt), given(s.MaxAttempts), given(s.Timeout), tags, metadata, trace}, nil
}

// given returns a value for a column that is NULL for the zero value.
func given[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

// Get returns a task, or task.ErrNotFound.
func (s *Store) Get(ctx context.Context, id uuid.UUID) (task.Task, error) {
	t, err := s.one(ctx, true, getSQL, [16]byte(id))
	if errors.Is(err, pgx.ErrNoRows) {
		err = task.ErrNotFound
	}
	if err != nil {
		return task.Task{}, fmt.Errorf("get task %s: %w", id, err)
	}
	return t, nil
}

// one runs a statement that returns one task with all its columns.
func (s *Store) one(ctx context.Context, again bool, sql string, args ...any) (t task.Task, err error) {
	err = s.row(ctx, again, func(r pgx.Row) (err error) {
		t, err = scanTask(r, true)
		return err
	}, sql, args...)
	return t, err
}

// List returns a page of tasks, newest first; see task.Page.
func (s *Store) List(ctx context.Context, page task.Page) ([]task.Task, error) {
	sql, args := listOf(page)
	list, err := rows(ctx, s, true, func(r pgx.CollectableRow) (task.Task, error) { return scanTask(r, false) }, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	return list, nil
}

// listOf returns the statement of a page, and its arguments. The first filter with an index selects a range of it, such
// as (status, id). With status = …, the planner might instead walk through all tasks in the order of their ids, past
// millions of completed ones to a hundred that wait.
func listOf(page task.Page) (string, []any) {
	before, limit := page.Bounds()
	args := []any{[16]byte(before), limit}
	var where strings.Builder
	only := func(condition, value string) {
		args = append(args, value)
		fmt.Fprintf(&where, " AND "+condition, len(args))
	}
	order := "id DESC"
	for _, filter := range [][2]string{{"fairness_key", page.FairnessKey}, {"type", page.Type}, {"status", string(page.Status)}} {
		column, value := filter[0], filter[1]
		switch {
		case value == "":
		case len(args) == 2:
			only("("+column+", id) < ($%[1]d, $1::uuid) AND "+column+" >= $%[1]d", value)
			order = column + " DESC, id DESC"
		default:
			only(column+" = $%d", value)
		}
	}
	if len(args) == 2 {
		where.WriteString(" AND id < $1::uuid")
	}
	if page.Owner != "" {
		only("owner = $%d", page.Owner)
	}
	if page.Tag != "" {
		only("tags <> '{}' AND tags @> ARRAY[$%d::text]", page.Tag)
	}
	columnsOfList := fmt.Sprintf(", CASE WHEN octet_length(result) <= %d THEN %s END, coalesce(octet_length(result), 0)", task.MaxListedResult, resultSQL)
	return "SELECT " + columns + columnsOfList + " FROM tasks WHERE status <> 'cancelled'" + where.String() + " ORDER BY " + order + " LIMIT $2", args
}

// Cancel makes a visible task cancelled, or returns task.ErrNotFound.
func (s *Store) Cancel(ctx context.Context, id uuid.UUID) error {
	n, err := s.exec(ctx, false, cancelSQL, [16]byte(id))
	if err == nil && n == 0 {
		err = task.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("cancel task %s: %w", id, err)
	}
	return nil
}

// Retry makes a failed task pending again; see task.Submissions.
func (s *Store) Retry(ctx context.Context, id uuid.UUID) (task.Task, error) {
	return s.change(ctx, "retry", id, task.ErrNotFailed, retrySQL)
}

// Update changes a pending task; see task.Submissions.
func (s *Store) Update(ctx context.Context, id uuid.UUID, change task.Change) (task.Task, error) {
	return s.change(ctx, "update", id, task.ErrNotWaiting, updateSQL, given(change.Priority), given(change.RunAt), task.MaxDelay)
}

// change runs a statement that changes a task in one status. If the task has another status, it returns refused.
func (s *Store) change(ctx context.Context, operation string, id uuid.UUID, refused error, sql string, args ...any) (task.Task, error) {
	t, err := s.one(ctx, false, sql, append([]any{[16]byte(id)}, args...)...)
	if errors.Is(err, pgx.ErrNoRows) {
		if t, err = s.Get(ctx, id); err == nil {
			err = refused
		}
	}
	if err != nil {
		return t, fmt.Errorf("%s task %s: %w", operation, id, err)
	}
	return t, nil
}

func scanTask(r pgx.Row, whole bool) (t task.Task, err error) {
	var status string
	var micros int64
	var expires *time.Time
	var result, progress, payload, metadata, attempts []byte
	into := []any{(*[16]byte)(&t.ID), &status, &t.Error, &t.Attempt, &t.CreatedAt, &micros, &t.Type, &t.Owner, &t.FairnessKey,
		&t.Priority, &t.RunAt, &t.MaxAttempts, &t.Timeout, &expires, &t.Tags, &t.Trace, &progress}
	if whole {
		into = append(into, &result, &payload, &metadata, &attempts)
	} else {
		into = append(into, &result, &t.ResultSize)
	}
	if err := r.Scan(into...); err != nil {
		return t, err
	}
	if result != nil {
		t.ResultSize = 0
	}
	t.Status, t.Result, t.Payload, t.Duration = task.Status(status), result, payload, time.Duration(micros)*time.Microsecond
	t.CreatedAt, t.RunAt = t.CreatedAt.UTC(), t.RunAt.UTC()
	if expires != nil {
		t.ExpiresAt = expires.UTC()
	}
	return t, t.DecodeColumns(progress, metadata, attempts)
}
