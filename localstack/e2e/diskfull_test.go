package e2e_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestFullDisk checks a database without disk space: submissions get 503, and a job that ends waits to write its
// ending. Both succeed as soon as there is space.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	database := postgresURL(t)
	s := start(t, t.TempDir(), `JobMinDuration=1s JobMaxDuration=1s JobFailureRate=0 DatabaseUrl="`+database+`"`)
	// Postgres would still find room for the few bytes of an ending, so a trigger simulates the full disk.
	execute(t, database, `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
		$$BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END$$`)
	execute(t, database, `CREATE TRIGGER no_ending BEFORE UPDATE ON tasks FOR EACH ROW WHEN (NEW.status = 'completed') EXECUTE FUNCTION full_disk()`)
	id := s.submit()
	execute(t, database, `CREATE TRIGGER no_task BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION full_disk()`)
	s.refusesSubmission()
	s.until("the ending to be tried", time.Minute, func() bool { return strings.Contains(s.output(), `"ending not written yet"`) })
	execute(t, database, `DROP TRIGGER no_ending ON tasks`)
	s.until("the ending to be written", time.Minute, func() bool { return s.status(id) == "completed" })
	execute(t, database, `DROP TRIGGER no_task ON tasks`)
	s.submit()
}

// TestFullDiskOfPostgres is TestFullDisk's submission on a full file system, for root, who may mount one.
func TestFullDiskOfPostgres(t *testing.T) {
	t.Parallel()
	disk := mountSmallDisk(t)
	database := postgresURL(t)
	s := start(t, t.TempDir(), `JobMinDuration=4m JobMaxDuration=5m DatabaseUrl="`+database+`"`)
	s.submit()
	free := fillDisk(t, disk, database)
	s.until("the table's last page to be full", time.Minute, func() bool { return s.do("POST", "/task", "").status != http.StatusCreated })
	s.refusesSubmission()
	free()
	s.submit()
}

// refusesSubmission expects a 503 with Retry-After.
func (s *running) refusesSubmission() {
	s.t.Helper()
	r := s.do("POST", "/task", "")
	if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" ||
		r.header.Get("Content-Type") != "application/problem+json" || strings.Contains(r.body, "space") {
		s.t.Errorf("POST /task on a full disk: %d %v %s; want 503, Retry-After and a problem without details", r.status, r.header, r.body)
	}
}

// mountSmallDisk mounts a file system of 256 KiB, and returns "" for a user who may not.
func mountSmallDisk(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder).CombinedOutput(); err != nil {
		t.Logf("no file system for the test (%v: %s); a trigger stands in for the full disk", err, out)
		return ""
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", folder).CombinedOutput(); err != nil {
			t.Errorf("umount %s: %v: %s", folder, err, out)
		}
	})
	return folder
}

// fillDisk moves the tasks to a small disk, fills it, and returns a function that frees space. Without a disk, a
// trigger refuses new rows with the error of a full disk.
func fillDisk(t *testing.T, disk, database string) (free func()) {
	t.Helper()
	if disk == "" {
		execute(t, database, `CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS
			$$BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = 'disk_full'; END$$`)
		execute(t, database, `CREATE TRIGGER no_space BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION no_space()`)
		return func() { execute(t, database, `DROP TRIGGER no_space ON tasks`) }
	}
	space := filepath.Join(disk, "space")
	if err := os.Mkdir(space, 0o700); err != nil {
		t.Fatal(err)
	}
	belongsToServer(t, space, database)
	execute(t, database, `CREATE TABLESPACE small LOCATION '`+space+`'`)
	execute(t, database, `ALTER TABLE tasks SET TABLESPACE small`)
	filler, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = filler.Close() }() // a full disk may refuse that too
	for err == nil {
		_, err = io.WriteString(filler, strings.Repeat("x", 4096))
	}
	return func() {
		if err := os.Remove(filler.Name()); err != nil {
			t.Fatal(err)
		}
	}
}

// belongsToServer gives a folder to the account of the database's server.
func belongsToServer(t *testing.T, folder, database string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var data string
	if err := conn.QueryRow(t.Context(), `SHOW data_directory`).Scan(&data); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if err := os.Chown(folder, int(owner.Uid), int(owner.Gid)); err != nil {
		t.Fatal(err)
	}
}
