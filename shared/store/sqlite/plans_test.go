package sqlite

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/shared/task"
)

// TestPlans checks that no statement reads the whole table or sorts it.
func TestPlans(t *testing.T) {
	t.Parallel()
	s := open(t, fresh(t))
	for name, test := range map[string]struct{ sql, indexes string }{
		"get":             {getSQL, "PRIMARY KEY"},
		"list":            {listSQL(task.Page{}), "PRIMARY KEY"},
		"list by status":  {listSQL(task.Page{Status: task.Failed}), "tasks_visible_by_status"},
		"list by type":    {listSQL(task.Page{Type: "x"}), "tasks_by_type"},
		"list by key":     {listSQL(task.Page{FairnessKey: "x"}), "tasks_by_key"},
		"client's retry":  {retrySQL, "PRIMARY KEY"},
		"update":          {updateSQL, "PRIMARY KEY"},
		"cancel":          {cancelSQL, "PRIMARY KEY"},
		"key":             {keySQL, ""},
		"key's owner":     {keyOwnerSQL, "PRIMARY KEY"},
		"claim":           {claimSQL, "PRIMARY KEY lanes_turn tasks_running tasks_waiting"},
		"load":            {loadSQL, "tasks_running tasks_waiting"},
		"wake":            {wakeSQL, "PRIMARY KEY tasks_scheduled"},
		"announce":        {announceSQL, "PRIMARY KEY tasks_unannounced"},
		"expire":          {expireSQL, "PRIMARY KEY tasks_expiring"},
		"heartbeat":       {heartbeatSQL, "PRIMARY KEY"},
		"complete":        {completeSQL, "PRIMARY KEY"},
		"fail":            {failSQL, "PRIMARY KEY"},
		"requeue":         {requeueSQL, "PRIMARY KEY"},
		"release":         {releaseSQL, "PRIMARY KEY"},
		"rescue":          {rescueSQL, "tasks_running PRIMARY KEY"},
		"purge ended":     {purgeEndedSQL, "tasks_ended PRIMARY KEY"},
		"purge cancelled": {purgeCancelledSQL, "tasks_cancelled PRIMARY KEY"},
		"purge keys":      {purgeKeysSQL, "idempotency_keys_age PRIMARY KEY"},
	} {
		plan := explain(t, s, test.sql)
		// The claim sorts the keys of running tasks, and the first tasks of the lanes.
		sorts := strings.Contains(plan, "ORDER BY") && name != "claim"
		// A partial index has only matching rows.
		partial := strings.NewReplacer("SCAN tasks USING INDEX", "", "SCAN tasks USING COVERING INDEX", "").Replace(plan)
		wrong := strings.Contains(partial, "SCAN tasks") || strings.Contains(plan, "SCAN idempotency_keys") || strings.Contains(plan, "SCAN l\n") || sorts
		for _, index := range strings.Split(strings.ReplaceAll(test.indexes, "PRIMARY KEY", "PRIMARY"), " ") {
			wrong = wrong || !strings.Contains(plan, index)
		}
		if wrong {
			t.Errorf("%s: want no scan of a table, no sorting and the indexes %q; the plan is\n%s", name, test.indexes, plan)
		}
	}
}

// listSQL returns the statement of a page.
func listSQL(page task.Page) string {
	text, _ := listOf(page)
	return text
}

func explain(t *testing.T, s *Store, text string) string {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, 1, 2, 3, 4, 5, 6, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
