package clickhouse

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
)

// Finish gives the table logs the features that the server's version supports: a time to live, a memory for insert
// deduplication tokens, and an index of task ids. It is repeatable, and applies a change of retentionDays.
//
// A server older than 20.1 cannot alter a time to live. There Finish drops the months that ended before the retention
// began. Lines then live up to a month longer, and until the next deployment.
func Finish(ctx context.Context, db *sql.DB, retentionDays int) error {
	var version string
	if err := db.QueryRowContext(ctx, "SELECT version()").Scan(&version); err != nil {
		return fmt.Errorf("read the version of ClickHouse: %w", err)
	}
	major, minor, err := parse(version)
	if err != nil {
		return err
	}
	if !atLeast(major, minor, 20, 1) {
		return dropOldMonths(ctx, db, retentionDays)
	}
	for _, statement := range statements(major, minor, retentionDays) {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// statements are the repeatable statements for a server from 20.1 on.
func statements(major, minor, retentionDays int) []string {
	list := []string{fmt.Sprintf("ALTER TABLE logs MODIFY TTL timestamp + INTERVAL %d DAY", retentionDays)}
	if atLeast(major, minor, 21, 1) {
		list = append(list, "ALTER TABLE logs ADD INDEX IF NOT EXISTS task task_id TYPE bloom_filter GRANULARITY 4")
	}
	if atLeast(major, minor, 22, 2) {
		// Without it, a table that is not replicated forgets insert_deduplication_token at once.
		list = append(list, "ALTER TABLE logs MODIFY SETTING non_replicated_deduplication_window = 1000")
	}
	return list
}

func dropOldMonths(ctx context.Context, db *sql.DB, retentionDays int) error {
	months, err := oldMonths(ctx, db, retentionDays)
	if err != nil {
		return fmt.Errorf("list the months of the table logs: %w", err)
	}
	for _, month := range months {
		if _, err := db.ExecContext(ctx, fmt.Sprintf("ALTER TABLE logs DROP PARTITION %d", month)); err != nil {
			return fmt.Errorf("drop the logs of %d: %w", month, err)
		}
	}
	return nil
}

func oldMonths(ctx context.Context, db *sql.DB, retentionDays int) (months []uint32, err error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf(`SELECT DISTINCT toUInt32(partition) AS month FROM system.parts
		WHERE database = currentDatabase() AND table = 'logs' AND active
		AND month < toYYYYMM(now() - INTERVAL %d DAY) ORDER BY month`, retentionDays))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var month uint32
		if err := rows.Scan(&month); err != nil {
			return nil, err
		}
		months = append(months, month)
	}
	return months, rows.Err()
}

var numbers = regexp.MustCompile(`^(\d+)\.(\d+)`)

func parse(version string) (major, minor int, err error) {
	found := numbers.FindStringSubmatch(version)
	if found == nil {
		return 0, 0, fmt.Errorf("version %q of ClickHouse does not begin with two numbers", version)
	}
	major, _ = strconv.Atoi(found[1])
	minor, _ = strconv.Atoi(found[2])
	return major, minor, nil
}

func atLeast(major, minor, wantMajor, wantMinor int) bool {
	return major > wantMajor || major == wantMajor && minor >= wantMinor
}
