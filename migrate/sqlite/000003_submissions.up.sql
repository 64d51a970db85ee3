-- What a submission says, what its attempts left, and the lanes that a claim chooses from, as in the Postgres schema.
ALTER TABLE tasks ADD COLUMN type         TEXT    NOT NULL DEFAULT 'iowork';
ALTER TABLE tasks ADD COLUMN payload      TEXT;   -- JSON
ALTER TABLE tasks ADD COLUMN typed        INTEGER NOT NULL DEFAULT 0; -- 1: result is JSON; older versions wrote plain text
ALTER TABLE tasks ADD COLUMN owner        TEXT    NOT NULL DEFAULT 'local';
ALTER TABLE tasks ADD COLUMN fairness_key TEXT    NOT NULL DEFAULT 'local';
ALTER TABLE tasks ADD COLUMN priority     INTEGER NOT NULL DEFAULT 2 -- 1 starts first
                                          CONSTRAINT tasks_priority_check CHECK (priority BETWEEN 1 AND 4);
ALTER TABLE tasks ADD COLUMN run_at       INTEGER; -- NULL: created_at
ALTER TABLE tasks ADD COLUMN due          INTEGER NOT NULL DEFAULT 1 -- 0: a pending task waits for its run_at
                                          CONSTRAINT tasks_scheduled_is_pending CHECK (due = 1 OR status IN ('pending', 'failed', 'cancelled'))
                                          CONSTRAINT tasks_scheduled_has_time CHECK (due = 1 OR run_at IS NOT NULL);
ALTER TABLE tasks ADD COLUMN announced    INTEGER NOT NULL DEFAULT 1; -- 0: no permit is in the queue for its run_at
ALTER TABLE tasks ADD COLUMN expires_at   INTEGER; -- from when a task that has not started fails
ALTER TABLE tasks ADD COLUMN max_attempts INTEGER  -- NULL: the worker's
                                          CONSTRAINT tasks_max_attempts_check CHECK (max_attempts > 0);
ALTER TABLE tasks ADD COLUMN timeout      INTEGER  -- NULL: the job's
                                          CONSTRAINT tasks_timeout_check CHECK (timeout > 0);
ALTER TABLE tasks ADD COLUMN tags         TEXT    NOT NULL DEFAULT '[]'; -- a JSON array
ALTER TABLE tasks ADD COLUMN metadata     TEXT;   -- a JSON object
ALTER TABLE tasks ADD COLUMN trace        TEXT;
ALTER TABLE tasks ADD COLUMN progress     TEXT;   -- JSON
ALTER TABLE tasks ADD COLUMN attempts     TEXT;   -- the attempts that have ended, oldest first, as a JSON array

-- A backoff that runs goes on.
UPDATE tasks SET due = 0, run_at = send_after, announced = 0
WHERE status = 'pending' AND tries > 0 AND enqueued_at IS NULL AND send_after > unixepoch('subsec') * 1000000;

DROP INDEX IF EXISTS tasks_unsent;
DROP INDEX IF EXISTS tasks_sent;
DROP INDEX IF EXISTS tasks_leases;
ALTER TABLE tasks DROP COLUMN enqueued_at;
ALTER TABLE tasks DROP COLUMN send_after;

CREATE INDEX IF NOT EXISTS tasks_waiting ON tasks (type, fairness_key, priority) WHERE status = 'pending' AND due = 1;
CREATE INDEX IF NOT EXISTS tasks_scheduled ON tasks (run_at) WHERE status = 'pending' AND due = 0;
CREATE INDEX IF NOT EXISTS tasks_unannounced ON tasks (run_at) WHERE status = 'pending' AND due = 0 AND announced = 0;
CREATE INDEX IF NOT EXISTS tasks_expiring ON tasks (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS tasks_running ON tasks (type, fairness_key) WHERE status = 'running';
CREATE INDEX IF NOT EXISTS tasks_by_type ON tasks (type) WHERE status <> 'cancelled';
CREATE INDEX IF NOT EXISTS tasks_by_key ON tasks (fairness_key) WHERE status <> 'cancelled';

CREATE TABLE IF NOT EXISTS lanes (
    fairness_key TEXT    NOT NULL,
    type         TEXT    NOT NULL,
    waiting      INTEGER NOT NULL DEFAULT 1, -- 0: it is empty
    served_at    INTEGER NOT NULL DEFAULT 0, -- the last claim of a task of the key, of any type
    PRIMARY KEY (fairness_key, type)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lanes_turn ON lanes (type, served_at, fairness_key) WHERE waiting = 1;
CREATE INDEX IF NOT EXISTS lanes_idle ON lanes (served_at) WHERE waiting = 0;

INSERT OR IGNORE INTO lanes (fairness_key, type) SELECT DISTINCT fairness_key, type FROM tasks WHERE status = 'pending' AND due = 1;

CREATE TRIGGER IF NOT EXISTS tasks_enter_new AFTER INSERT ON tasks WHEN NEW.status = 'pending' AND NEW.due = 1 BEGIN
    INSERT INTO lanes (fairness_key, type) VALUES (NEW.fairness_key, NEW.type)
    ON CONFLICT (fairness_key, type) DO UPDATE SET waiting = 1 WHERE waiting = 0;
END;

CREATE TRIGGER IF NOT EXISTS tasks_enter AFTER UPDATE OF status, due ON tasks
WHEN NEW.status = 'pending' AND NEW.due = 1 AND NOT (OLD.status = 'pending' AND OLD.due = 1) BEGIN
    INSERT INTO lanes (fairness_key, type) VALUES (NEW.fairness_key, NEW.type)
    ON CONFLICT (fairness_key, type) DO UPDATE SET waiting = 1 WHERE waiting = 0;
END;

CREATE TRIGGER IF NOT EXISTS tasks_leave AFTER UPDATE OF status, due ON tasks
WHEN OLD.status = 'pending' AND OLD.due = 1 AND NOT (NEW.status = 'pending' AND NEW.due = 1) BEGIN
    UPDATE lanes SET served_at = NEW.started_at WHERE NEW.status = 'running' AND fairness_key = NEW.fairness_key;
    UPDATE lanes SET waiting = 0 WHERE fairness_key = NEW.fairness_key AND type = NEW.type AND NOT EXISTS (
        SELECT 1 FROM tasks WHERE status = 'pending' AND due = 1 AND type = NEW.type AND fairness_key = NEW.fairness_key);
END;
