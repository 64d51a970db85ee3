-- The Idempotency-Key of a submission and what it was answered. There is no foreign key: the answer outlives its task.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key        TEXT    NOT NULL PRIMARY KEY,
    request    BLOB    NOT NULL, -- a hash of the request, which tells a repetition from another request
    task_id    BLOB    NOT NULL CONSTRAINT idempotency_keys_task_id_check CHECK (length(task_id) = 16),
    created_at INTEGER NOT NULL -- the task's own created_at
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS idempotency_keys_age ON idempotency_keys (created_at);
