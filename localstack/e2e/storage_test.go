package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// storages are the types of storage.
var storages = []string{"postgres", "internal"}

// eachStorage runs a test on each.
func eachStorage(t *testing.T, test func(t *testing.T, storage string)) {
	t.Parallel()
	for _, storage := range storages {
		t.Run(storage, func(t *testing.T) {
			t.Parallel()
			test(t, storage)
		})
	}
}

// TestInternalStorage checks that the stack starts no Postgres, says where it keeps tasks, and keeps them there.
func TestInternalStorage(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, data, "JobMinDuration=4m JobMaxDuration=5m", "--storage", "internal")
	id := s.submit()
	file := filepath.Join(data, "ksu.db")
	text := s.output()
	if !strings.Contains(text, "off, "+file+" instead (--provide postgres=off)") || strings.Contains(text, "start Postgres") {
		t.Error("the banner does not name the file, or a Postgres was started")
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() == 0 {
		t.Errorf("%s: %v, %v", file, info, err)
	}
	if _, err := os.Stat(filepath.Join(data, "postgres")); !os.IsNotExist(err) {
		t.Errorf("there is data of a Postgres: %v", err)
	}
	// The storage's name in a configuration leads to the same tasks.
	config := filepath.Join(data, "config.yaml")
	if err := os.WriteFile(config, []byte("storage: {type: internal}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = start(t, data, "JobMinDuration=4m JobMaxDuration=5m", "--config", config)
	s.status(id)
	if text := s.output(); !strings.Contains(text, "off, "+file+" instead (--provide postgres=off)") {
		t.Error("the configuration did not choose the storage")
	}
}

// TestInternalStorageIsOneFile checks that after a clean stop the data is a single file.
func TestInternalStorageIsOneFile(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, data, "JobMinDuration=4m JobMaxDuration=5m", "--storage", "internal")
	const tasks = 30
	for range tasks {
		s.submit()
	}
	s.until("jobs to run", 30*time.Second, func() bool { return s.count("running") > 0 })
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	copied := t.TempDir()
	content, err := os.ReadFile(filepath.Join(data, "ksu.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(copied, "ksu.db"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	s = start(t, copied, "JobMinDuration=4m JobMaxDuration=5m", "--storage", "internal")
	if n := s.count("running") + s.count("pending"); n != tasks {
		t.Errorf("the copy has %d tasks, want %d", n, tasks)
	}
}
