-- The Idempotency-Key of a submission and what it was answered. There is no foreign key: the answer outlives its task.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key        text COLLATE "C" PRIMARY KEY,
    request    bytea       NOT NULL, -- a hash of the request, which tells a repetition from another request
    task_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now() -- the task's own created_at
);

CREATE INDEX IF NOT EXISTS idempotency_keys_age ON idempotency_keys (created_at);
