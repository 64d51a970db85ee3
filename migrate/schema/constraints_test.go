package schema_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"ksu/shared/store/postgrestest"
)

// TestConstraints writes rows past the store: those that the state machine does not know are refused.
func TestConstraints(t *testing.T) {
	t.Parallel()
	conn := connect(t, postgrestest.New(t))
	const insert = "INSERT INTO tasks (id, status, result, error, attempt, tries, started_at, ended_at, lease_expires_at) VALUES (gen_random_uuid(), "
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
		t.Run(name, func(t *testing.T) { // not parallel: one connection
			_, err := conn.Exec(t.Context(), insert+test.values+")")
			var refused *pgconn.PgError
			errors.As(err, &refused)
			switch {
			case test.constraint == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.constraint != "" && (refused == nil || refused.ConstraintName != test.constraint):
				t.Errorf("got %v; want a violation of %s", err, test.constraint)
			}
		})
	}
}
