package schema_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eragon-mdi/ksu/migrate/schema"
)

// TestConstraints writes rows past the store: the schema refuses those that the state machine does not know.
func TestConstraints(t *testing.T) {
	eachEngine(t, func(t *testing.T, d database) {
		step(t, "up", schema.Latest())(d.target.Up(t.Context()))
		checkConstraints(t, d)
	})
}

func checkConstraints(t *testing.T, d database) {
	for name, test := range map[string]struct{ values, constraint string }{
		"pending":                    {"'pending', NULL, NULL, 0, 0, NULL, NULL, NULL", ""},
		"pending after an error":     {"'pending', NULL, 'x', 2, 1, NULL, NULL, NULL", ""},
		"running":                    {"'running', NULL, NULL, 1, 1, now(), NULL, now()", ""},
		"completed":                  {"'completed', 'x', NULL, 1, 1, now(), now(), NULL", ""},
		"failed":                     {"'failed', NULL, 'x', 1, 1, now(), now(), NULL", ""},
		"failed before it ran":       {"'failed', NULL, 'x', 0, 3, NULL, now(), NULL", ""},
		"cancelled when pending":     {"'cancelled', NULL, NULL, 0, 0, NULL, now(), NULL", ""},
		"cancelled when completed":   {"'cancelled', 'x', NULL, 1, 1, now(), now(), NULL", ""},
		"unknown status":             {"'paused', NULL, NULL, 0, 0, NULL, NULL, NULL", "tasks_status_check"},
		"negative attempt":           {"'pending', NULL, NULL, -1, 0, NULL, NULL, NULL", "tasks_attempt_check"},
		"negative tries":             {"'pending', NULL, NULL, 0, -1, NULL, NULL, NULL", "tasks_tries_check"},
		"pending and started":        {"'pending', NULL, NULL, 1, 1, now(), NULL, NULL", "tasks_pending_is_fresh"},
		"pending with a lease":       {"'pending', NULL, NULL, 0, 0, NULL, NULL, now()", "tasks_lease_is_of_running"},
		"pending with an end":        {"'pending', NULL, NULL, 0, 0, NULL, now(), NULL", "tasks_end_is_of_ended"},
		"pending with a result":      {"'pending', 'x', NULL, 0, 0, NULL, NULL, NULL", "tasks_result_is_of_completed"},
		"running and never claimed":  {"'running', NULL, NULL, 0, 0, now(), NULL, now()", "tasks_running_is_claimed"},
		"running and not started":    {"'running', NULL, NULL, 1, 1, NULL, NULL, now()", "tasks_running_is_claimed"},
		"running without a lease":    {"'running', NULL, NULL, 1, 1, now(), NULL, NULL", "tasks_lease_is_of_running"},
		"running with an end":        {"'running', NULL, NULL, 1, 1, now(), now(), now()", "tasks_end_is_of_ended"},
		"completed without a result": {"'completed', NULL, NULL, 1, 1, now(), now(), NULL", "tasks_completed_has_result"},
		"completed with an error":    {"'completed', 'x', 'x', 1, 1, now(), now(), NULL", "tasks_completed_has_result"},
		"completed without an end":   {"'completed', 'x', NULL, 1, 1, now(), NULL, NULL", "tasks_end_is_of_ended"},
		"completed with a lease":     {"'completed', 'x', NULL, 1, 1, now(), now(), now()", "tasks_lease_is_of_running"},
		"failed without an error":    {"'failed', NULL, NULL, 1, 1, now(), now(), NULL", "tasks_failed_has_error"},
		"failed with a result":       {"'failed', 'x', 'x', 1, 1, now(), now(), NULL", "tasks_result_is_of_completed"},
		"failed without an end":      {"'failed', NULL, 'x', 1, 1, now(), NULL, NULL", "tasks_end_is_of_ended"},
		"cancelled without an end":   {"'cancelled', NULL, NULL, 0, 0, NULL, NULL, NULL", "tasks_end_is_of_ended"},
		"cancelled with a lease":     {"'cancelled', NULL, NULL, 1, 1, now(), now(), now()", "tasks_lease_is_of_running"},
	} {
		t.Run(name, func(t *testing.T) { // not parallel: one database
			columns, values := "id", "gen_random_uuid()"
			if d.driver == "sqlite" {
				columns, values = "created_at, id", "1, randomblob(16)"
			}
			err := d.exec(t, "INSERT INTO tasks ("+columns+", status, result, error, attempt, tries, started_at, ended_at, lease_expires_at)"+
				" VALUES ("+values+", "+strings.ReplaceAll(test.values, "now()", d.now)+")")
			switch {
			case test.constraint == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.constraint != "" && violated(err) != test.constraint:
				t.Errorf("got %v; want a violation of %s", err, test.constraint)
			}
		})
	}
}

// violated is the name of the constraint that an error is about.
func violated(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.ConstraintName
	}
	if err == nil {
		return ""
	}
	_, name, _ := strings.Cut(err.Error(), "CHECK constraint failed: ")
	name, _, _ = strings.Cut(name, " ") // "… (275)", the code
	return name
}
