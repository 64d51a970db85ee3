-- A task and its life: pending -> running -> completed | failed, any -> cancelled. The constraints hold the state
-- machine, as those of the Postgres schema do under the same names. Times are microseconds since 1970 in UTC.
CREATE TABLE IF NOT EXISTS tasks (
    id               BLOB    NOT NULL PRIMARY KEY    -- 16 bytes, version 7: the order of ids is the order of creation
                             CONSTRAINT tasks_id_check CHECK (length(id) = 16),
    status           TEXT    NOT NULL DEFAULT 'pending'
                             CONSTRAINT tasks_status_check
                             CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    result           TEXT,
    error            TEXT,                           -- why the last attempt failed
    attempt          INTEGER NOT NULL DEFAULT 0      -- the fencing token, grows with each claim
                             CONSTRAINT tasks_attempt_check CHECK (attempt >= 0),
    tries            INTEGER NOT NULL DEFAULT 0      -- what counts towards max attempts
                             CONSTRAINT tasks_tries_check CHECK (tries >= 0),
    lease_expires_at INTEGER,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,                        -- of the last claim
    ended_at         INTEGER,                        -- of a cancelled task: when it was deleted
    enqueued_at      INTEGER,                        -- NULL: its message is still to be sent
    send_after       INTEGER NOT NULL,               -- from when the sweeper may send it

    CONSTRAINT tasks_pending_is_fresh CHECK (status <> 'pending' OR started_at IS NULL),
    CONSTRAINT tasks_running_is_claimed CHECK (status <> 'running' OR (started_at IS NOT NULL AND attempt > 0)),
    CONSTRAINT tasks_lease_is_of_running CHECK ((status = 'running') = (lease_expires_at IS NOT NULL)),
    CONSTRAINT tasks_end_is_of_ended CHECK ((status IN ('completed', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
    CONSTRAINT tasks_completed_has_result CHECK (status <> 'completed' OR (result IS NOT NULL AND error IS NULL AND started_at IS NOT NULL)),
    CONSTRAINT tasks_failed_has_error CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT tasks_result_is_of_completed CHECK (result IS NULL OR status IN ('completed', 'cancelled'))
) STRICT, WITHOUT ROWID;

-- Every page of GET /task?status=. Without ?status= it is a range of the table, which lies in the order of its ids, and
-- so do the rows of one value in each index.
CREATE INDEX IF NOT EXISTS tasks_visible_by_status ON tasks (status) WHERE status <> 'cancelled';
-- The sweeper: each index holds only the rows that its step may touch, so ended rows cost it nothing.
CREATE INDEX IF NOT EXISTS tasks_unsent ON tasks (send_after) WHERE status = 'pending' AND enqueued_at IS NULL;
CREATE INDEX IF NOT EXISTS tasks_sent ON tasks (enqueued_at) WHERE status = 'pending' AND enqueued_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS tasks_leases ON tasks (lease_expires_at) WHERE status = 'running';
CREATE INDEX IF NOT EXISTS tasks_ended ON tasks (ended_at) WHERE status IN ('completed', 'failed');
CREATE INDEX IF NOT EXISTS tasks_cancelled ON tasks (ended_at) WHERE status = 'cancelled';
