DROP TRIGGER IF EXISTS tasks_enter_new ON tasks;
DROP TRIGGER IF EXISTS tasks_enter ON tasks;
DROP TRIGGER IF EXISTS tasks_leave ON tasks;
DROP FUNCTION IF EXISTS claim_task(interval, text, integer, text[], bigint[], bigint[], text[], double precision[]);
DROP FUNCTION IF EXISTS lanes_enter();
DROP FUNCTION IF EXISTS lanes_leave();
DROP FUNCTION IF EXISTS lanes_close();
DROP FUNCTION IF EXISTS lane_is_empty(text, text);
DROP FUNCTION IF EXISTS lane_lock(text, text);
DROP TABLE IF EXISTS lanes;
-- The old functions know plain texts alone.
UPDATE tasks SET result = CASE WHEN json_typeof(result::json) = 'string' THEN result::json #>> '{}' ELSE result END WHERE typed;
-- What waits for its time is sent when it comes.
UPDATE tasks SET send_after = run_at, enqueued_at = NULL WHERE status = 'pending' AND NOT due;
-- The indexes and constraints of a column go with it.
ALTER TABLE tasks
    DROP COLUMN IF EXISTS type, DROP COLUMN IF EXISTS payload, DROP COLUMN IF EXISTS typed, DROP COLUMN IF EXISTS owner,
    DROP COLUMN IF EXISTS fairness_key, DROP COLUMN IF EXISTS priority, DROP COLUMN IF EXISTS run_at, DROP COLUMN IF EXISTS due,
    DROP COLUMN IF EXISTS announced, DROP COLUMN IF EXISTS expires_at, DROP COLUMN IF EXISTS max_attempts,
    DROP COLUMN IF EXISTS timeout, DROP COLUMN IF EXISTS tags, DROP COLUMN IF EXISTS metadata, DROP COLUMN IF EXISTS trace,
    DROP COLUMN IF EXISTS progress, DROP COLUMN IF EXISTS attempts;
CREATE INDEX IF NOT EXISTS tasks_unsent ON tasks (send_after) WHERE status = 'pending' AND enqueued_at IS NULL;
CREATE INDEX IF NOT EXISTS tasks_sent ON tasks (enqueued_at) WHERE status = 'pending' AND enqueued_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS tasks_leases ON tasks (lease_expires_at) WHERE status = 'running';
