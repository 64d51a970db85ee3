package postgres

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// TestPlans checks that no statement reads the whole table, neither with the values that the planner sees nor with the
// generic plan that Postgres may use after some executions.
func TestPlans(t *testing.T) {
	t.Parallel()
	url := testserver.Postgres(t)
	conn := connect(t, url)
	fill(t, url, 20_000)
	const id, last = `'01800000-0000-7000-8000-000000000abc'`, `'ffffffff-ffff-ffff-ffff-ffffffffffff'`
	const submitted = id + `, 'iowork', '{}', 'local', 'local', 2, '15 min', NULL, NULL, NULL, NULL, NULL, NULL, '{}', NULL, NULL`
	for name, test := range map[string]struct{ sql, args, indexes string }{
		"get":          {getSQL, id, ""},
		"list":         {listSQL(task.Page{}), last + `, 101`, "tasks_visible"},
		"next page":    {listSQL(task.Page{}), id + `, 101`, "tasks_visible"},
		"completed":    {listSQL(task.Page{Status: task.Completed}), last + `, 101, 'completed'`, "tasks_visible_by_status"},
		"pending":      {listSQL(task.Page{Status: task.Pending}), last + `, 101, 'pending'`, "tasks_visible_by_status"},
		"rare type":    {listSQL(task.Page{Type: "x"}), last + `, 101, 'rare'`, "tasks_by_type"},
		"rare key":     {listSQL(task.Page{FairnessKey: "x"}), last + `, 101, 'rare'`, "tasks_by_key"},
		"cancel":       {cancelSQL, id, ""},
		"retry":        {retrySQL, id, ""},
		"update":       {updateSQL, id + `, 1, now(), '15 min'`, ""},
		"create keyed": {createKeyedSQL, submitted + `, 'key', '', '1 day'`, ""},
		"load":         {loadSQL, `100`, "tasks_running tasks_waiting"},
		"heartbeat":    {heartbeatSQL, id + `, 1, '9 s', NULL`, ""},
		"complete":     {completeSQL, id + `, 1, 'result', NULL`, ""},
		"fail":         {failSQL, id + `, 1, 'reason', NULL`, ""},
		"requeue":      {requeueSQL, id + `, 1, 3, 'reason', '15 min', '9 s', NULL`, ""},
		"release":      {releaseSQL, id + `, 1, '0', '15 min'`, ""},
		"wake":         {wakeSQL, `100`, "tasks_scheduled"},
		"announce":     {announceSQL, `100, '15 min'`, "tasks_unannounced"},
		"expire":       {expireSQL, `100, 'expired'`, "tasks_expiring"},
		"rescue":       {rescueSQL, `100, 3, '1 s', 'reason', '15 min'`, "tasks_running"},
		"purge":        {purgeSQL, `1000, '30 days', '1 day', '1 day'`, "tasks_ended tasks_cancelled idempotency_keys_age"},
		"purge all":    {purgeSQL, `1000, '0', '0', '0'`, "tasks_ended tasks_cancelled idempotency_keys_age"},
	} {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			plan := explain(t, conn, test.sql, test.args, mode)
			wrong := strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Sort Key: tasks.")
			for _, index := range strings.Fields(test.indexes) {
				wrong = wrong || !strings.Contains(plan, "using "+index+" on")
			}
			if wrong {
				t.Errorf("%s, %s: want no scan of the table and the indexes %q; the plan is\n%s", name, mode, test.indexes, plan)
			}
		}
	}
}

// TestClaimPlans checks the statements within the schema's function, whose plans the server itself reports: one key, then
// several types and keys of which tasks run, then tasks whose time has come.
func TestClaimPlans(t *testing.T) {
	t.Parallel()
	url := testserver.Postgres(t)
	fill(t, url, 20_000)
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	var plans strings.Builder
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { fmt.Fprintln(&plans, n.Message) }
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }() // only reads
	run := func(sql string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	run(`LOAD 'auto_explain'`)
	run(`SET auto_explain.log_nested_statements = on`)
	run(`SET auto_explain.log_level = 'notice'`)
	run(`SET auto_explain.log_min_duration = 0`)
	claim := func() {
		t.Helper()
		run(claimSQL, time.Hour, task.Expired, readied, []string{"a"}, []int64{9}, []*int64{nil}, []string{"k"}, []float64{2})
	}
	claim()
	run(`INSERT INTO tasks (id, type, fairness_key) SELECT gen_random_uuid(), 'type ' || n % 3, 'busy' FROM generate_series(1, 300) n`)
	run(`DELETE FROM tasks WHERE status = 'pending' AND fairness_key <> 'busy'`)
	for range 3 {
		claim() // also while a task of the only key runs
	}
	run(`UPDATE tasks SET due = false, run_at = now() WHERE status = 'pending' AND priority = 2 AND type = 'type 1'`)
	run(`UPDATE tasks SET expires_at = now() WHERE status = 'pending' AND type = 'type 2'`)
	plans.Reset() // of the preparation
	claim()
	got := plans.String()
	if strings.Contains(got, "Seq Scan on tasks") || strings.Contains(got, "Seq Scan on lanes") || sortOfTasks.MatchString(got) {
		t.Errorf("a claim reads a whole table or sorts what waits:\n%s", got)
	}
	for _, index := range strings.Fields("lanes_turn tasks_running tasks_waiting tasks_scheduled tasks_expiring") {
		if !strings.Contains(got, "using "+index+" on") {
			t.Errorf("a claim does not use the index %s; its plans are\n%s", index, got)
		}
	}
}

// sortOfTasks finds a sort of rows as they come from the table. The best tasks of a few types may be sorted.
var sortOfTasks = regexp.MustCompile(`Sort Key: [^\n]*\n\s*->  [A-Za-z ]*Scan [^\n]*on tasks`)

// fill adds n ended tasks and a few of each other kind, as in a service that has run for a while.
func fill(t testing.TB, url string, n int) {
	t.Helper()
	// The row's number makes the id; the order is that of creation.
	const id = `overlay('01800000-0000-7000-8000-000000000000' placing lpad(to_hex(n), 12, '0') from 25)::uuid`
	exec(t, url, `INSERT INTO tasks (id, status, result, attempt, tries, created_at, started_at, ended_at)
		SELECT `+id+`, 'completed', 'io work result = 0', 1, 1, now(), now(), now() - interval '1 h'
		FROM generate_series(1, $1::int) n`, n)
	for offset, values := range []string{
		`'pending', NULL, 0, NULL, NULL, NULL, true, NULL, NULL`, `'pending', NULL, 0, NULL, NULL, NULL, false, now() + interval '1 day', NULL`,
		`'pending', NULL, 0, NULL, NULL, NULL, true, NULL, now() + interval '1 day'`, `'running', NULL, 1, now(), now(), NULL, true, NULL, NULL`,
		`'failed', 'reason', 1, now(), NULL, now(), true, NULL, NULL`, `'cancelled', NULL, 1, now(), NULL, now(), true, NULL, NULL`,
	} {
		exec(t, url, fmt.Sprintf(`INSERT INTO tasks (id, status, error, attempt, started_at, lease_expires_at, ended_at, due, run_at, expires_at, announced)
			SELECT %s, %s, false FROM generate_series($1::int, $1::int + 99) n`, id, values), n+1+100*offset)
	}
	exec(t, url, `INSERT INTO idempotency_keys (key, request, task_id, created_at)
		SELECT n::text, '', `+id+`, now() - interval '1 day' * n / $1::int FROM generate_series(1, $1::int) n`, n)
	exec(t, url, `INSERT INTO lanes (fairness_key, type, waiting, served_at)
		SELECT 'key ' || n, 'iowork', n % 2 = 0, now() - interval '1 s' * n FROM generate_series(1, 10000) n`)
	exec(t, url, `ANALYZE tasks, idempotency_keys, lanes`)
}

// listSQL returns the statement of a page.
func listSQL(page task.Page) string {
	sql, _ := listOf(page)
	return sql
}

func explain(t testing.TB, conn *pgx.Conn, sql, args, mode string) string {
	t.Helper()
	for _, step := range []string{"SET plan_cache_mode = " + mode, "DEALLOCATE ALL", "PREPARE statement AS " + sql} {
		if _, err := conn.PgConn().Exec(t.Context(), step).ReadAll(); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
	results, err := conn.PgConn().Exec(t.Context(), "EXPLAIN EXECUTE statement("+args+")").ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for _, row := range results[0].Rows {
		fmt.Fprintln(&plan, string(row[0]))
	}
	return plan.String()
}
