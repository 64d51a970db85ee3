package sqlite

import (
	"bytes"
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
	// createSQL inserts a submission. Its arguments are those of submissionArgs; created is the time.
	createSQL = `
INSERT INTO tasks (id, created_at, type, payload, owner, fairness_key, priority, run_at, due, announced, expires_at,
    max_attempts, timeout, tags, metadata, trace)
SELECT ?1, created, ?2, ?3, ?4, ?5, ?6, run_at, coalesce(run_at <= created, 1), coalesce(run_at <= created + ?7, 1),
    coalesce(created + ?10, ?11), ?12, ?13, ?14, ?15, ?16
FROM (SELECT created, coalesce(created + ?8, ?9) AS run_at FROM (SELECT coalesce(?17, now_us()) AS created))
RETURNING created_at`

	// keySQL takes a free or expired key, or leaves it unchanged.
	keySQL = `
INSERT INTO idempotency_keys AS old (key, request, task_id, created_at) VALUES (?2, ?3, ?1, now_us())
ON CONFLICT (key) DO UPDATE SET (request, task_id, created_at) = (excluded.request, excluded.task_id, excluded.created_at)
    WHERE old.created_at < now_us() - ?4`

	keyOwnerSQL = `SELECT task_id, created_at, request FROM idempotency_keys WHERE key = ?1`

	// columns are those of each task. A list adds only a short result; columnsOfOne are all columns that can be large.
	columns = `id, status, coalesce(error, ''), attempt,
    created_at, coalesce(max(coalesce(ended_at, now_us()) - started_at, 0), 0),
    type, owner, fairness_key, priority, coalesce(run_at, created_at), coalesce(max_attempts, 0), coalesce(timeout, 0),
    expires_at, tags, coalesce(trace, ''), progress`
	resultSQL    = `CASE WHEN typed = 1 OR result IS NULL THEN result ELSE json_quote(result) END`
	columnsOfOne = `, ` + resultSQL + `, payload, metadata, attempts`

	getSQL = `SELECT ` + columns + columnsOfOne + ` FROM tasks WHERE id = ?1 AND status <> 'cancelled'`

	cancelSQL = `
UPDATE tasks SET status = 'cancelled', ended_at = now_us(), lease_expires_at = NULL
WHERE id = ?1 AND status <> 'cancelled'`

	retrySQL = `
UPDATE tasks SET status = 'pending', due = 1, announced = 1, run_at = now_us(), tries = 0, started_at = NULL, ended_at = NULL,
    expires_at = NULL, progress = NULL
WHERE id = ?1 AND status = 'failed'
RETURNING ` + columns + columnsOfOne

	updateSQL = `
UPDATE tasks SET priority = coalesce(?2, priority), run_at = coalesce(?3, run_at),
    due       = CASE WHEN ?3 IS NULL THEN due ELSE ?3 <= now_us() END,
    announced = CASE WHEN ?3 IS NULL THEN announced ELSE ?3 <= now_us() + ?4 END
WHERE id = ?1 AND status = 'pending'
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
	created, err := one(ctx, s, scanInt, createSQL, append(args, nil)...)
	if err != nil {
		return task.Task{}, false, fmt.Errorf("insert task %s: %w", id, err)
	}
	return task.New(id, submission, at(created)), true, nil
}

func (s *Store) createKeyed(ctx context.Context, id uuid.UUID, submission task.Submission, key task.Key, args []any) (task.Task, bool, error) {
	request := key.Request
	if request == nil {
		request = []byte{} // nil would be NULL
	}
	var owner keyOwner
	err := s.transaction(ctx, func(conn *sql.Conn) (err error) {
		if _, err = conn.ExecContext(ctx, keySQL, id[:], key.Name, request, task.KeyLifetime.Microseconds()); err != nil {
			return err
		}
		if owner, err = scanKeyOwner(conn.QueryRowContext(ctx, keyOwnerSQL, key.Name)); err != nil || owner.task != id {
			return err
		}
		_, err = conn.ExecContext(ctx, createSQL, append(args, owner.created)...)
		return err
	})
	switch {
	case err != nil:
		return task.Task{}, false, fmt.Errorf("insert task %s with a key: %w", id, err)
	case !bytes.Equal(owner.request, request):
		return task.Task{}, false, fmt.Errorf("insert task %s: %w", id, task.ErrKeyReused)
	}
	return task.New(owner.task, submission, at(owner.created)), owner.task == id, nil
}

// submissionArgs returns the arguments of createSQL except the last. nil is NULL.
func submissionArgs(id uuid.UUID, s task.Submission) ([]any, error) {
	tags := s.Tags
	if tags == nil {
		tags = []string{}
	}
	tagText, err := json.Marshal(tags)
	if err != nil {
		return nil, fmt.Errorf("encode the tags: %w", err)
	}
	var metadata any
	if s.Metadata != nil {
		text, err := json.Marshal(s.Metadata)
		if err != nil {
			return nil, fmt.Errorf("encode the metadata: %w", err)
		}
		metadata = string(text)
	}
	var payload any
	if s.Payload != nil {
		payload = string(s.Payload)
	}
	return []any{id[:], s.Type, payload, s.Owner, s.FairnessKey, s.Priority, task.MaxDelay.Microseconds(),
		given(s.Delay.Microseconds()), stored(s.RunAt), given(s.TTL.Microseconds()), stored(s.ExpiresAt), given(s.MaxAttempts),
		given(s.Timeout.Microseconds()), string(tagText), metadata, given(s.Trace)}, nil
}

// given returns a value for a column that is NULL for the zero value.
func given[T comparable](v T) any {
	if v == *new(T) {
		return nil
	}
	return v
}

// stored returns a time in a column's form, NULL for the zero time.
func stored(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// keyOwner is the row of a key.
type keyOwner struct {
	task    uuid.UUID
	created int64
	request []byte
}

func scanKeyOwner(r row) (o keyOwner, err error) {
	var id []byte
	if err = r.Scan(&id, &o.created, &o.request); err == nil {
		o.task, err = uuid.FromBytes(id)
	}
	return o, err
}

// Get returns a task, or task.ErrNotFound.
func (s *Store) Get(ctx context.Context, id uuid.UUID) (task.Task, error) {
	t, err := one(ctx, s, scanWhole, getSQL, id[:])
	if errors.Is(err, sql.ErrNoRows) {
		err = task.ErrNotFound
	}
	if err != nil {
		return task.Task{}, fmt.Errorf("get task %s: %w", id, err)
	}
	return t, nil
}

// List returns a page of tasks, newest first; see task.Page.
func (s *Store) List(ctx context.Context, page task.Page) ([]task.Task, error) {
	text, args := listOf(page)
	list, err := query(ctx, s, func(r row) (task.Task, error) { return scanTask(r, false) }, text, args...)
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	return list, nil
}

// listOf returns the statement of a page, and its arguments. The table and each index of a filter are sorted by id.
func listOf(page task.Page) (string, []any) {
	before, limit := page.Bounds()
	args := []any{before[:], limit}
	where := "status <> 'cancelled' AND id < ?1"
	only := func(condition, value string) {
		if value != "" {
			args = append(args, value)
			where += fmt.Sprintf(" AND "+condition, len(args))
		}
	}
	only("status = ?%d", string(page.Status))
	only("type = ?%d", page.Type)
	only("fairness_key = ?%d", page.FairnessKey)
	only("owner = ?%d", page.Owner)
	only("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?%d)", page.Tag)
	columnsOfList := fmt.Sprintf(", CASE WHEN octet_length(result) <= %d THEN %s END, coalesce(octet_length(result), 0)", task.MaxListedResult, resultSQL)
	return "SELECT " + columns + columnsOfList + " FROM tasks WHERE " + where + " ORDER BY id DESC LIMIT ?2", args
}

// Cancel makes a visible task cancelled, or returns task.ErrNotFound.
func (s *Store) Cancel(ctx context.Context, id uuid.UUID) error {
	n, err := s.exec(ctx, cancelSQL, id[:])
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
	return s.change(ctx, "update", id, task.ErrNotWaiting, updateSQL, given(change.Priority), stored(change.RunAt), task.MaxDelay.Microseconds())
}

// change runs a statement that changes a task in one status. If the task has another status, it returns refused.
func (s *Store) change(ctx context.Context, operation string, id uuid.UUID, refused error, text string, args ...any) (task.Task, error) {
	t, err := one(ctx, s, scanWhole, text, append([]any{id[:]}, args...)...)
	if errors.Is(err, sql.ErrNoRows) {
		if t, err = s.Get(ctx, id); err == nil {
			err = refused
		}
	}
	if err != nil {
		return t, fmt.Errorf("%s task %s: %w", operation, id, err)
	}
	return t, nil
}

func scanWhole(r row) (task.Task, error) { return scanTask(r, true) }

func scanTask(r row, whole bool) (t task.Task, err error) {
	var id, result, tags, progress, payload, metadata, attempts []byte
	var created, took, runAt, timeout int64
	var expires sql.NullInt64
	into := []any{&id, &t.Status, &t.Error, &t.Attempt, &created, &took, &t.Type, &t.Owner, &t.FairnessKey, &t.Priority, &runAt,
		&t.MaxAttempts, &timeout, &expires, &tags, &t.Trace, &progress}
	if whole {
		into = append(into, &result, &payload, &metadata, &attempts)
	} else {
		into = append(into, &result, &t.ResultSize)
	}
	if err = r.Scan(into...); err != nil {
		return t, err
	}
	if result != nil {
		t.ResultSize = 0
	}
	if t.ID, err = uuid.FromBytes(id); err != nil {
		return t, err
	}
	t.Result, t.Payload, t.CreatedAt, t.RunAt = result, payload, at(created), at(runAt)
	t.Duration, t.Timeout = time.Duration(took)*time.Microsecond, time.Duration(timeout)*time.Microsecond
	if expires.Valid {
		t.ExpiresAt = at(expires.Int64)
	}
	if err := json.Unmarshal(tags, &t.Tags); err != nil {
		return t, fmt.Errorf("decode the tags of task %s: %w", t.ID, err)
	}
	return t, t.DecodeColumns(progress, metadata, attempts)
}

func scanInt(r row) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

// at is a stored time.
func at(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
