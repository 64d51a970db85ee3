-- What a submission says, what its attempts left, and the lanes that a claim chooses from.
--
-- Old functions run beside the new ones while they are deployed. So the columns enqueued_at and send_after stay, though
-- nothing new uses them; and triggers keep the lanes, whoever writes the tasks.
ALTER TABLE tasks
    ADD COLUMN IF NOT EXISTS type         text COLLATE "C" NOT NULL DEFAULT 'iowork',
    ADD COLUMN IF NOT EXISTS payload      json,
    ADD COLUMN IF NOT EXISTS typed        boolean NOT NULL DEFAULT false, -- result is JSON; the old functions write plain text
    ADD COLUMN IF NOT EXISTS owner        text COLLATE "C" NOT NULL DEFAULT 'local',
    ADD COLUMN IF NOT EXISTS fairness_key text COLLATE "C" NOT NULL DEFAULT 'local',
    ADD COLUMN IF NOT EXISTS priority     smallint NOT NULL DEFAULT 2, -- 1 starts first
    ADD COLUMN IF NOT EXISTS run_at       timestamptz,  -- NULL: created_at
    ADD COLUMN IF NOT EXISTS due          boolean NOT NULL DEFAULT true,  -- false: a pending task waits for its run_at
    ADD COLUMN IF NOT EXISTS announced    boolean NOT NULL DEFAULT true,  -- false: no permit is in the queue for its run_at
    ADD COLUMN IF NOT EXISTS expires_at   timestamptz,  -- from when a task that has not started fails
    ADD COLUMN IF NOT EXISTS max_attempts integer,      -- NULL: the worker's
    ADD COLUMN IF NOT EXISTS timeout      interval,     -- NULL: the job's
    ADD COLUMN IF NOT EXISTS tags         text[] NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS metadata     jsonb,
    ADD COLUMN IF NOT EXISTS trace        text,
    ADD COLUMN IF NOT EXISTS progress     json,
    ADD COLUMN IF NOT EXISTS attempts     jsonb;        -- the attempts that have ended, oldest first

ALTER TABLE tasks
    DROP CONSTRAINT IF EXISTS tasks_priority_check,
    DROP CONSTRAINT IF EXISTS tasks_max_attempts_check,
    DROP CONSTRAINT IF EXISTS tasks_timeout_check,
    DROP CONSTRAINT IF EXISTS tasks_scheduled_is_pending,
    DROP CONSTRAINT IF EXISTS tasks_scheduled_has_time;
ALTER TABLE tasks
    ADD CONSTRAINT tasks_priority_check CHECK (priority BETWEEN 1 AND 4),
    ADD CONSTRAINT tasks_max_attempts_check CHECK (max_attempts > 0),
    ADD CONSTRAINT tasks_timeout_check CHECK (timeout > '0'),
    ADD CONSTRAINT tasks_scheduled_is_pending CHECK (due OR status IN ('pending', 'failed', 'cancelled')),
    ADD CONSTRAINT tasks_scheduled_has_time CHECK (due OR run_at IS NOT NULL);

-- A backoff that runs goes on.
UPDATE tasks SET due = false, run_at = send_after, announced = false
WHERE status = 'pending' AND due AND tries > 0 AND enqueued_at IS NULL AND send_after > now();

-- The indexes of what nothing asks for any more.
DROP INDEX IF EXISTS tasks_unsent;
DROP INDEX IF EXISTS tasks_sent;
DROP INDEX IF EXISTS tasks_leases;
-- The tasks that may start, in the order in which those of one lane do.
CREATE INDEX IF NOT EXISTS tasks_waiting ON tasks (type, fairness_key, priority, id) WHERE status = 'pending' AND due;
CREATE INDEX IF NOT EXISTS tasks_scheduled ON tasks (run_at) WHERE status = 'pending' AND NOT due;
CREATE INDEX IF NOT EXISTS tasks_unannounced ON tasks (run_at) WHERE status = 'pending' AND NOT due AND NOT announced;
CREATE INDEX IF NOT EXISTS tasks_expiring ON tasks (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL;
-- The tasks that run, never more than the semaphore allows. The lease is no part of an index, so that a heartbeat writes none.
CREATE INDEX IF NOT EXISTS tasks_running ON tasks (type, fairness_key) WHERE status = 'running';
-- The filters of GET /task.
CREATE INDEX IF NOT EXISTS tasks_by_type ON tasks (type, id) WHERE status <> 'cancelled';
CREATE INDEX IF NOT EXISTS tasks_by_key ON tasks (fairness_key, id) WHERE status <> 'cancelled';
CREATE INDEX IF NOT EXISTS tasks_by_tag ON tasks USING gin (tags) WHERE tags <> '{}' AND status <> 'cancelled';

-- A lane holds the tasks of one type and fairness key that may start. How many of them run is counted from the tasks
-- themselves, so that no crash leaves a wrong count.
CREATE TABLE IF NOT EXISTS lanes (
    fairness_key text COLLATE "C" NOT NULL,
    type         text COLLATE "C" NOT NULL,
    waiting      boolean     NOT NULL DEFAULT true,        -- false: it is empty
    served_at    timestamptz NOT NULL DEFAULT '-infinity', -- the last claim of a task of the key, of any type
    PRIMARY KEY (fairness_key, type)
);
CREATE INDEX IF NOT EXISTS lanes_turn ON lanes (type, served_at, fairness_key) WHERE waiting;
CREATE INDEX IF NOT EXISTS lanes_idle ON lanes (served_at) WHERE NOT waiting;
ALTER TABLE lanes SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

INSERT INTO lanes (fairness_key, type) SELECT DISTINCT fairness_key, type FROM tasks WHERE status = 'pending' AND due
ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION lane_lock(type text, fairness_key text) RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT hashtextextended(concat_ws('/', current_schema(), 'lane', type, fairness_key), 0) $$;

-- A task enters its lane. The shared lock keeps others from closing the lane before this task is there for them to see:
-- whoever closes it holds the lock alone. Tasks that enter an open lane do not wait for each other.
CREATE OR REPLACE FUNCTION lanes_enter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_open boolean;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(lane_lock(NEW.type, NEW.fairness_key));
    SELECT waiting INTO is_open FROM lanes WHERE fairness_key = NEW.fairness_key AND type = NEW.type;
    IF is_open IS NOT TRUE THEN
        INSERT INTO lanes (fairness_key, type) VALUES (NEW.fairness_key, NEW.type)
        ON CONFLICT (fairness_key, type) DO UPDATE SET waiting = true;
    END IF;
    RETURN NULL;
END $$;

-- The order makes the planner take the index. Without it a plan for all lanes might read the whole table for an empty one.
CREATE OR REPLACE FUNCTION lane_is_empty(of_type text, of_key text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM tasks WHERE status = 'pending' AND due AND type = of_type AND fairness_key = of_key ORDER BY priority, id LIMIT 1;
    RETURN NOT FOUND;
END $$;

-- A task leaves its lane, which closes with the last one. A lane that somebody enters meanwhile stays open: nobody waits
-- for a lock here, and a claim passes by a lane that is open and empty.
CREATE OR REPLACE FUNCTION lanes_leave() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    drained boolean := false;
BEGIN
    IF lane_is_empty(NEW.type, NEW.fairness_key) AND pg_try_advisory_xact_lock(lane_lock(NEW.type, NEW.fairness_key)) THEN
        drained := lane_is_empty(NEW.type, NEW.fairness_key); -- once more: the lock came after what the first look saw
    END IF;
    IF drained OR NEW.status = 'running' THEN
        UPDATE lanes SET waiting = waiting AND NOT (drained AND type = NEW.type),
            served_at = CASE WHEN NEW.status = 'running' THEN clock_timestamp() ELSE served_at END
        WHERE fairness_key = NEW.fairness_key;
    END IF;
    RETURN NULL;
END $$;

-- Closes the lanes that are open and empty.
CREATE OR REPLACE FUNCTION lanes_close() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    l record;
BEGIN
    FOR l IN SELECT fairness_key, type FROM lanes WHERE waiting AND lane_is_empty(type, fairness_key) LOOP
        IF pg_try_advisory_xact_lock(lane_lock(l.type, l.fairness_key)) AND lane_is_empty(l.type, l.fairness_key) THEN
            UPDATE lanes SET waiting = false WHERE fairness_key = l.fairness_key AND type = l.type;
        END IF;
    END LOOP;
END $$;

-- Takes the best task that may start now, or none. Claims take turns: each statement after the lock sees what all claims
-- before have written. A plan of small statements, made once for all arguments, runs in a fraction of one large statement's
-- time. The settings keep the planner to the indexes' orders, also while the tables are new and it knows nothing of them.
--
-- A key with the smallest share of the running tasks goes first, so that a key of which none runs goes before all others;
-- among equals, the key that was served least recently. Of the key's tasks, the one with the best priority starts.
CREATE OR REPLACE FUNCTION claim_task(lease interval, late_reason text, most_ready integer,
    limited text[], most bigint[], per_key bigint[], weighted text[], weights float8[]) RETURNS SETOF tasks LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    moment     timestamptz;
    has_late   boolean;
    has_ripe   boolean;
    busy_types text[]; -- of each running task
    busy_keys  text[];
    of_type    text COLLATE "C";
    last_type  text COLLATE "C";
    open_types text[];
    passed     text[] := '{}';
    of_key     text COLLATE "C";
    turn       timestamptz;
    lane       record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws('/', current_schema(), 'claim'), 0));
    moment := clock_timestamp(); -- now() was before the wait for the lock
    -- If another transaction holds the only task of the chosen key, the claim passes by that key.
    LOOP
        open_types := '{}';
        of_key := NULL;
        FOR look IN 1..2 LOOP
            SELECT EXISTS (SELECT FROM tasks WHERE status = 'pending' AND expires_at <= moment),
                EXISTS (SELECT FROM tasks WHERE status = 'pending' AND NOT due AND run_at <= moment),
                (SELECT type FROM lanes WHERE waiting ORDER BY type LIMIT 1),
                (SELECT type FROM lanes WHERE waiting ORDER BY type DESC LIMIT 1),
                coalesce(array_agg(type), '{}'), coalesce(array_agg(fairness_key), '{}')
            INTO has_late, has_ripe, of_type, last_type, busy_types, busy_keys
            FROM tasks WHERE status = 'running';
            EXIT WHEN look = 2 OR NOT (has_late OR has_ripe);
            UPDATE tasks SET status = 'failed', error = late_reason, ended_at = moment
            WHERE id = ANY (ARRAY(SELECT id FROM tasks WHERE status = 'pending' AND expires_at <= moment
                ORDER BY expires_at LIMIT most_ready FOR UPDATE SKIP LOCKED));
            UPDATE tasks SET due = true
            WHERE id = ANY (ARRAY(SELECT id FROM tasks WHERE status = 'pending' AND NOT due AND run_at <= moment
                AND (expires_at IS NULL OR expires_at > moment) ORDER BY run_at LIMIT most_ready FOR UPDATE SKIP LOCKED));
        END LOOP;

        WHILE of_type IS NOT NULL LOOP
            IF coalesce(cardinality(array_positions(busy_types, of_type)) < most[array_position(limited, of_type)], true) THEN
                open_types := open_types || of_type;
                SELECT l.fairness_key, l.served_at INTO lane
                FROM lanes l CROSS JOIN LATERAL (
                    SELECT FROM tasks t WHERE t.status = 'pending' AND t.due AND t.type = l.type AND t.fairness_key = l.fairness_key
                        AND (t.expires_at IS NULL OR t.expires_at > moment) ORDER BY t.priority, t.id LIMIT 1) t
                WHERE l.waiting AND l.type = of_type AND l.fairness_key <> ALL (busy_keys || passed)
                ORDER BY l.served_at, l.fairness_key LIMIT 1;
                IF FOUND AND (of_key IS NULL OR (lane.served_at, lane.fairness_key) < (turn, of_key)) THEN
                    of_key := lane.fairness_key;
                    turn := lane.served_at;
                END IF;
            END IF;
            EXIT WHEN of_type = last_type;
            of_type := (SELECT type FROM lanes WHERE waiting AND type > of_type ORDER BY type LIMIT 1);
        END LOOP;

        IF of_key IS NULL AND open_types <> '{}' AND busy_keys <> '{}' THEN
            SELECT s.fairness_key INTO of_key
            FROM (
                SELECT b.fairness_key, count(*) / coalesce(weights[array_position(weighted, b.fairness_key)], 1) AS share
                FROM unnest(busy_keys) AS b (fairness_key) GROUP BY b.fairness_key
            ) s CROSS JOIN unnest(open_types) AS o (type) CROSS JOIN LATERAL (
                SELECT l.served_at FROM lanes l CROSS JOIN LATERAL (
                    SELECT FROM tasks t WHERE t.status = 'pending' AND t.due AND t.type = l.type AND t.fairness_key = l.fairness_key
                        AND (t.expires_at IS NULL OR t.expires_at > moment) ORDER BY t.priority, t.id LIMIT 1) t
                WHERE l.waiting AND l.type = o.type AND l.fairness_key = s.fairness_key LIMIT 1) l
            WHERE s.fairness_key <> ALL (passed) AND coalesce((SELECT count(*) FROM unnest(busy_types, busy_keys) AS b (type, fairness_key)
                WHERE b.type = o.type AND b.fairness_key = s.fairness_key) < per_key[array_position(limited, o.type)], true)
            ORDER BY s.share, l.served_at, s.fairness_key COLLATE "C" LIMIT 1;
        END IF;
        IF of_key IS NULL THEN
            RETURN;
        END IF;

        of_type := open_types[1];
        IF cardinality(open_types) > 1 THEN
            SELECT o.type INTO of_type
            FROM unnest(open_types) AS o (type) CROSS JOIN LATERAL (
                SELECT t.priority, t.id FROM tasks t WHERE t.status = 'pending' AND t.due AND t.type = o.type AND t.fairness_key = of_key
                    AND (t.expires_at IS NULL OR t.expires_at > moment) ORDER BY t.priority, t.id LIMIT 1) first
            WHERE coalesce((SELECT count(*) FROM unnest(busy_types, busy_keys) AS b (type, fairness_key)
                WHERE b.type = o.type AND b.fairness_key = of_key) < per_key[array_position(limited, o.type)], true)
            ORDER BY first.priority, first.id LIMIT 1;
        END IF;
        RETURN QUERY UPDATE tasks SET status = 'running', attempt = attempt + 1, tries = tries + 1, started_at = moment, lease_expires_at = moment + lease
            WHERE id = (SELECT t.id FROM tasks t WHERE t.status = 'pending' AND t.due AND t.type = of_type AND t.fairness_key = of_key
                AND (t.expires_at IS NULL OR t.expires_at > moment) ORDER BY t.priority, t.id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING *;
        EXIT WHEN FOUND;
        passed := passed || of_key;
    END LOOP;
END $$;

DROP TRIGGER IF EXISTS tasks_enter_new ON tasks;
CREATE TRIGGER tasks_enter_new AFTER INSERT ON tasks FOR EACH ROW
    WHEN (NEW.status = 'pending' AND NEW.due) EXECUTE FUNCTION lanes_enter();
DROP TRIGGER IF EXISTS tasks_enter ON tasks;
CREATE TRIGGER tasks_enter AFTER UPDATE OF status, due ON tasks FOR EACH ROW
    WHEN (NEW.status = 'pending' AND NEW.due AND NOT (OLD.status = 'pending' AND OLD.due)) EXECUTE FUNCTION lanes_enter();
DROP TRIGGER IF EXISTS tasks_leave ON tasks;
CREATE TRIGGER tasks_leave AFTER UPDATE OF status, due ON tasks FOR EACH ROW
    WHEN (OLD.status = 'pending' AND OLD.due AND NOT (NEW.status = 'pending' AND NEW.due)) EXECUTE FUNCTION lanes_leave();
