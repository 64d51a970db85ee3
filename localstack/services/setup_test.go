package services

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// processes is what the local stack's supervisor is, without its watchdog, and keeps what was started.
type processes struct {
	t       *testing.T
	started chan *exec.Cmd

	mu      sync.Mutex
	running map[int]*exec.Cmd
}

func newProcesses(t *testing.T) *processes {
	p := &processes{t: t, started: make(chan *exec.Cmd, 100), running: map[int]*exec.Cmd{}}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for pid, cmd := range p.running {
			t.Errorf("%s still runs", cmd)
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	})
	return p
}

func (p *processes) Start(cmd *exec.Cmd, _ syscall.Signal) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		return err
	}
	p.mu.Lock()
	p.running[cmd.Process.Pid] = cmd
	p.mu.Unlock()
	p.started <- cmd
	return nil
}

func (p *processes) Exited(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, pid)
}

// options returns options for a server in a folder below one that only its owner may enter, as a checkout
// of root's is.
func options(t *testing.T) PostgresOptions {
	t.Helper()
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	// Durability costs the tests seconds and is not their subject.
	return PostgresOptions{Dir: filepath.Join(closed, "data", "postgres"), Processes: newProcesses(t), Log: logTo(t),
		Settings: map[string]string{"fsync": "off"}}
}

// logTo logs until the test ends: a server's last line may be read a moment after that.
func logTo(t *testing.T) func(string) {
	var mu sync.Mutex
	ended := false
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
	})
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			t.Log(line)
		}
	}
}

// startPostgres starts a server that the end of the test closes.
func startPostgres(t *testing.T, o PostgresOptions) *Postgres {
	t.Helper()
	began := time.Now()
	p, err := StartPostgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started within %v", time.Since(began))
	t.Cleanup(func() { closePostgres(t, p) })
	return p
}

func closePostgres(t *testing.T, p *Postgres) {
	t.Helper()
	if err := p.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// query runs a statement and returns the first column of its first row, or "" without rows.
func query(t *testing.T, url, statement string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return strings.Join(texts, "\n")
}

// pidOf returns the server's process.
func pidOf(t *testing.T, dir string) int {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
