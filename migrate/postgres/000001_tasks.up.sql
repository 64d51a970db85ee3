-- A task and its life: pending -> running -> completed | failed, any -> cancelled. The constraints hold the state
-- machine, so that no statement of any version of the code can write a row that the others cannot explain.
CREATE TABLE IF NOT EXISTS tasks (
    id               uuid        PRIMARY KEY,        -- version 7: the order of ids is the order of creation
    status           text COLLATE "C" NOT NULL DEFAULT 'pending'
                                 CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    result           text,
    error            text,                           -- why the last attempt failed
    attempt          integer     NOT NULL DEFAULT 0 CHECK (attempt >= 0), -- the fencing token, grows with each claim
    tries            integer     NOT NULL DEFAULT 0 CHECK (tries >= 0),   -- what counts towards max attempts
    lease_expires_at timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    started_at       timestamptz,                    -- of the last claim
    ended_at         timestamptz,                    -- of a cancelled task: when it was deleted
    enqueued_at      timestamptz,                    -- NULL: its message is still to be sent
    send_after       timestamptz NOT NULL DEFAULT now(), -- from when the sweeper may send it

    CONSTRAINT tasks_pending_is_fresh CHECK (status <> 'pending' OR started_at IS NULL),
    CONSTRAINT tasks_running_is_claimed CHECK (status <> 'running' OR (started_at IS NOT NULL AND attempt > 0)),
    CONSTRAINT tasks_lease_is_of_running CHECK ((status = 'running') = (lease_expires_at IS NOT NULL)),
    CONSTRAINT tasks_end_is_of_ended CHECK ((status IN ('completed', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
    CONSTRAINT tasks_completed_has_result CHECK (status <> 'completed' OR (result IS NOT NULL AND error IS NULL AND started_at IS NOT NULL)),
    CONSTRAINT tasks_failed_has_error CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT tasks_result_is_of_completed CHECK (result IS NULL OR status IN ('completed', 'cancelled'))
);

-- Every page of GET /task, with and without ?status=.
CREATE INDEX IF NOT EXISTS tasks_visible ON tasks (id) WHERE status <> 'cancelled';
CREATE INDEX IF NOT EXISTS tasks_visible_by_status ON tasks (status, id) WHERE status <> 'cancelled';
-- The sweeper: each index holds only the rows that its step may touch, so ended rows cost it nothing.
CREATE INDEX IF NOT EXISTS tasks_unsent ON tasks (send_after) WHERE status = 'pending' AND enqueued_at IS NULL;
CREATE INDEX IF NOT EXISTS tasks_sent ON tasks (enqueued_at) WHERE status = 'pending' AND enqueued_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS tasks_leases ON tasks (lease_expires_at) WHERE status = 'running';
CREATE INDEX IF NOT EXISTS tasks_ended ON tasks (ended_at) WHERE status IN ('completed', 'failed');
CREATE INDEX IF NOT EXISTS tasks_cancelled ON tasks (ended_at) WHERE status = 'cancelled';

-- A task's row is rewritten some five times. The default, to clean up after a fifth of the table changed, would leave a
-- million dead entries in the small indexes above once the table has grown.
ALTER TABLE tasks SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02,
                       autovacuum_vacuum_insert_scale_factor = 0.05);
