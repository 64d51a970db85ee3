package testserver_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	_ "github.com/ClickHouse/clickhouse-go/v2" // the driver "clickhouse"

	"github.com/eragon-mdi/ksu/shared/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }

// TestDatabases checks that each database is a separate one, with tables if requested.
func TestDatabases(t *testing.T) {
	t.Parallel()
	if one, other := testserver.Postgres(t), testserver.Postgres(t); one == other {
		t.Errorf("two databases have one URL, %s", one)
	}
	for _, test := range []struct {
		address string
		want    int
	}{{testserver.Postgres(t), 1}, {testserver.EmptyPostgres(t), 0}} {
		conn, err := pgx.Connect(t.Context(), test.address)
		if err != nil {
			t.Fatal(err)
		}
		var n int
		err = conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'tasks'`).Scan(&n)
		if err != nil || n != test.want {
			t.Errorf("%d tables tasks, %v; want %d", n, err, test.want)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	path := filepath.Join(t.TempDir(), "a folder", "ksu.db")
	testserver.SQLite(t, path)
	if content, err := os.ReadFile(path); err != nil || !strings.Contains(string(content), "CREATE TABLE tasks") {
		t.Errorf("the file of the internal store has no tasks, %v", err)
	}
}

func TestClickHouse(t *testing.T) {
	t.Parallel()
	s := testserver.NewClickHouse(t)
	db := s.DB(t, s.Logs(t))
	if _, err := db.Exec("INSERT INTO logs (message) SELECT 'm'"); err != nil {
		t.Fatal(err)
	}
	s.Stop(t)
	if _, err := net.Dial("tcp", s.Address); err == nil {
		t.Error("a stopped server takes connections")
	}
	s.Stop(t)
	s.Start(t)
	var n int64
	if err := db.QueryRow("SELECT toInt64(count()) FROM logs").Scan(&n); err != nil || n != 1 {
		t.Errorf("after the restart %d lines are stored, %v; want 1", n, err)
	}
}

// killedVariable makes TestKilled the test that is killed.
const killedVariable = "KSU_TEST_KILLED"

// TestKilled kills a test binary that uses the servers: they end, and leave no files.
func TestKilled(t *testing.T) {
	if os.Getenv(killedVariable) != "" {
		fmt.Println("servers", testserver.PrivatePostgres(t), testserver.NewClickHouse(t).Address)
		select {}
	}
	t.Parallel()
	temporary := t.TempDir()
	if err := os.Chmod(temporary, 0o755); err != nil { // Postgres does not run as root
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), killedVariable+"=1", "TMPDIR="+temporary)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var addresses []string
	for lines := bufio.NewScanner(out); addresses == nil && lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) == 3 && words[0] == "servers" {
			u, err := url.Parse(words[1])
			if err != nil {
				t.Fatal(err)
			}
			addresses = []string{u.Host, words[2]}
		}
	}
	if addresses == nil {
		t.Fatalf("no servers: %v", cmd.Wait())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	until(t, "the servers end", func() bool {
		for _, address := range addresses {
			if conn, err := net.Dial("tcp", address); err == nil {
				_ = conn.Close()
				return false
			}
		}
		return true
	})
	until(t, "their folder is removed", func() bool {
		found, err := filepath.Glob(filepath.Join(temporary, "schematest-*"))
		return err == nil && len(found) == 0 || errors.Is(err, fs.ErrNotExist)
	})
}

// until waits for a condition.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("waited too long until " + what)
		}
	}
}
