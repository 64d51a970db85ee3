package schema_test

import (
	"context"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/migrate/clickhouse"
	"github.com/eragon-mdi/ksu/migrate/schema"
	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// logs is a configuration for an empty database of a new ClickHouse server.
func logs(t *testing.T) (testserver.ClickHouse, config.ClickHouse) {
	t.Helper()
	server := testserver.NewClickHouse(t)
	return server, config.ClickHouse{Address: server.Address, Username: "default", Database: server.Empty(t), RetentionDays: 30}
}

// columns describes the table logs; empty if it does not exist.
func columns(t *testing.T, server testserver.ClickHouse, database string) (list []string) {
	t.Helper()
	rows, err := server.DB(t, database).Query("SELECT name, type FROM system.columns WHERE database = ? AND table = 'logs'", database)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			t.Fatal(err)
		}
		list = append(list, name+" "+kind)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestLogsUpDownUp(t *testing.T) {
	t.Parallel()
	server, cfg := logs(t)
	target, ctx := schema.Logs(cfg), t.Context()
	step(t, "version of nothing", 0)(target.Version(ctx))
	step(t, "down from nothing", 0)(target.Down(ctx, 1))
	step(t, "up", target.Latest())(target.Up(ctx))
	full := columns(t, server, cfg.Database)
	if len(full) == 0 {
		t.Fatal("after up there is no table logs")
	}
	step(t, "up again", target.Latest())(target.Up(ctx))
	step(t, "version", target.Latest())(target.Version(ctx))
	step(t, "down to nothing", 0)(target.Down(ctx, 0))
	if got := columns(t, server, cfg.Database); len(got) != 0 {
		t.Errorf("after down there is a table logs with %v", got)
	}
	step(t, "up", target.Latest())(target.Up(ctx))
	if got := columns(t, server, cfg.Database); !reflect.DeepEqual(got, full) {
		t.Errorf("up, down, up made %v; want %v", got, full)
	}
	db := server.DB(t, cfg.Database)
	for _, dirty := range []string{
		"INSERT INTO schema_migrations (version, dirty, sequence) SELECT 1, 1, max(sequence) + 1 FROM schema_migrations",
		"DROP TABLE logs",
	} { // cut off after the last statement, then before the first
		if _, err := db.Exec(dirty); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(dirty, "DROP") {
			if _, err := db.Exec("INSERT INTO schema_migrations (version, dirty, sequence) SELECT 1, 1, max(sequence) + 1 FROM schema_migrations"); err != nil {
				t.Fatal(err)
			}
		}
		step(t, "up after a cut", target.Latest())(target.Up(ctx))
		if got := columns(t, server, cfg.Database); !reflect.DeepEqual(got, full) {
			t.Errorf("up after a cut made %v; want %v", got, full)
		}
	}
}

// TestLogFilesArePairs checks that numbers have no gaps, and that the driver cuts each file into whole statements.
func TestLogFilesArePairs(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(clickhouse.Files, "*.up.sql")
	if latest := schema.Logs(config.ClickHouse{}).Latest(); err != nil || len(names) != int(latest) {
		t.Fatalf("migrations %v, %v; want %d without gaps", names, err, latest)
	}
	for _, name := range names {
		if _, err := fs.Stat(clickhouse.Files, strings.Replace(name, ".up.", ".down.", 1)); err != nil {
			t.Errorf("%s has no down: %v", name, err)
		}
	}
}

// TestLogsOfOldMonthsGo checks the substitute for a time to live on servers without one.
func TestLogsOfOldMonthsGo(t *testing.T) {
	t.Parallel()
	server, cfg := logs(t)
	target := schema.Logs(cfg)
	step(t, "up", target.Latest())(target.Up(t.Context()))
	db := server.DB(t, cfg.Database)
	now := time.Now()
	for _, age := range []int{0, 20, 100, 400} {
		if _, err := db.Exec("INSERT INTO logs (timestamp, message) SELECT toDateTime(?), 'm'", now.AddDate(0, 0, -age).Unix()); err != nil {
			t.Fatal(err)
		}
	}
	step(t, "up", target.Latest())(target.Up(t.Context()))
	left := func() (n int64) {
		if err := db.QueryRow("SELECT toInt64(count()) FROM logs").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := left(); n != 2 {
		t.Errorf("with 30 days, %d of the lines of 0, 20, 100 and 400 days ago are left; want 2", n)
	}
}

func TestLogsConnectErrors(t *testing.T) {
	t.Parallel()
	server, cfg := logs(t)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	with := func(change func(*config.ClickHouse)) config.ClickHouse {
		c := cfg
		c.Password = "secret"
		change(&c)
		return c
	}
	for name, test := range map[string]struct {
		ctx  context.Context
		cfg  config.ClickHouse
		want string
	}{
		"no server":   {stopped, with(func(c *config.ClickHouse) { c.Address = "127.0.0.1:1" }), "connect to ClickHouse at 127.0.0.1:1"},
		"no user":     {t.Context(), with(func(c *config.ClickHouse) { c.Username = "nobody" }), "connect to ClickHouse at " + server.Address},
		"no database": {t.Context(), with(func(c *config.ClickHouse) { c.Password, c.Database = "", "no_such_database" }), "no_such_database"},
	} {
		_, err := schema.Logs(test.cfg).Up(test.ctx)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: Up = %v; want %q in it, and no password", name, err, test.want)
		}
	}
}
