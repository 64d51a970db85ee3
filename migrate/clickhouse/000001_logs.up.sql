-- Lines of the functions' logs. Every type and clause is one that ClickHouse 18.16 and current servers know: no
-- DateTime64 (20.1), no LowCardinality (experimental until 19.x), no TTL (19.6, which Finish of this folder adds afterwards).
--
-- The order serves "the last hour of this function". "All of this task" is a filter on task_id and on timestamp from the
-- task's creation on, which its id, a UUIDv7, holds: within each function and month that is one range of the order.
CREATE TABLE IF NOT EXISTS logs (
    timestamp  DateTime('UTC'), -- whole seconds
    nanosecond UInt32,          -- and the rest, 0 to 999999999
    level      String,          -- DEBUG, INFO, WARN, ERROR
    function   String,
    version    String,
    message    String,
    request_id String,          -- of the Lambda invocation
    trace_id   String,          -- X-Ray, shared by a task's submission and its run
    task_id    String,
    attempt    UInt32,          -- of the task, from 1, and 0 for none
    source     String,          -- folder/file.go:line
    attributes String,          -- a JSON object
    batch      String,          -- what was sent together, batch and line are unique
    line       UInt32
) ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (function, timestamp, nanosecond);
