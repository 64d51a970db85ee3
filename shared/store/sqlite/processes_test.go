package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
)

// childVariable names the file and makes this test binary a process of a test.
const childVariable = "SQLITE_TEST_CHILD"

// child opens the file, says "ready", waits for a line and plays its role. It prints its successes.
func child(path string, args []string) {
	ctx := context.Background()
	s, err := Open(ctx, path)
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	defer s.Close()
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return
	}
	role := map[string]func(context.Context, *Store, []string) error{"claim": claimAll, "key": useKeys, "create": createForever}[args[0]]
	if err := role(ctx, s, args[1:]); err != nil {
		fmt.Println("error:", err)
	}
}

// claimAll claims tasks until none waits.
func claimAll(ctx context.Context, s *Store, _ []string) error {
	for {
		switch t, err := s.Claim(ctx, storetest.Hour); {
		case err == nil:
			fmt.Println(t.ID, t.Attempt)
		case errors.Is(err, task.ErrNothingToClaim):
			return nil
		default:
			return err
		}
	}
}

// useKeys submits with each key.
func useKeys(ctx context.Context, s *Store, keys []string) error {
	for _, key := range keys {
		t, created, err := s.Create(ctx, uuid.Must(uuid.NewV7()), task.Submission{}, task.Key{Name: key})
		if err != nil {
			return err
		}
		if created {
			fmt.Println(key, t.ID)
		}
	}
	return nil
}

// createForever submits, claims and completes until it is killed.
func createForever(ctx context.Context, s *Store, _ []string) error {
	for {
		id := uuid.Must(uuid.NewV7())
		if _, _, err := s.Create(ctx, id, task.Submission{}, task.Key{}); err != nil {
			return err
		}
		fmt.Println(id, "created")
		t, err := s.Claim(ctx, storetest.Hour) // or another's
		if err == nil {
			err = s.Complete(ctx, t.ID, t.Attempt, []byte(`"result"`), nil)
		}
		if err != nil && !errors.Is(err, task.ErrNothingToClaim) {
			return err
		}
		if err == nil {
			fmt.Println(t.ID, "completed")
		}
	}
}

// process is a running child.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// launch starts processes that are ready and wait for begin.
func launch(t *testing.T, d database, n int, args ...string) []*process {
	t.Helper()
	list := make([]*process, n)
	for i := range list {
		p := &process{cmd: exec.Command(os.Args[0], args...)}
		p.cmd.Env = append(os.Environ(), childVariable+"="+string(d))
		p.cmd.Stderr = os.Stderr
		out, err := p.cmd.StdoutPipe()
		if err == nil {
			p.in, err = p.cmd.StdinPipe()
		}
		if err == nil {
			err = p.cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		})
		p.out = bufio.NewScanner(out)
		list[i] = p
	}
	for _, p := range list {
		if !p.out.Scan() || p.out.Text() != "ready" {
			t.Fatalf("process %d says %q; want ready", p.cmd.Process.Pid, p.out.Text())
		}
	}
	return list
}

func begin(t *testing.T, list []*process) {
	t.Helper()
	for _, p := range list {
		if _, err := io.WriteString(p.in, "\n"); err != nil {
			t.Fatal(err)
		}
	}
}

// said collects the output of processes until they end: "key value" lines.
func said(t *testing.T, list []*process) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, p := range list {
		for p.out.Scan() {
			key, value, _ := strings.Cut(p.out.Text(), " ")
			if key == "error:" {
				t.Error(p.out.Text())
			}
			all[key] = append(all[key], value)
		}
	}
	return all
}

const processes = 4

func TestClaimsFromManyProcesses(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	s := open(t, d)
	args := []string{"claim"}
	for range 300 {
		args = append(args, storetest.Create(t, s).String())
	}
	list := launch(t, d, processes, args...)
	begin(t, list)
	claims := said(t, list)
	for _, id := range args[1:] {
		if got := claims[id]; len(got) != 1 || got[0] != "1" {
			t.Errorf("task %s was claimed as attempts %v; want once as attempt 1", id, got)
		}
	}
}

func TestKeysFromManyProcesses(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	args := []string{"key"}
	for i := range 300 {
		args = append(args, fmt.Sprint("key-", i))
	}
	list := launch(t, d, processes, args...)
	begin(t, list)
	made := said(t, list)
	for _, key := range args[1:] {
		if got := made[key]; len(got) != 1 {
			t.Errorf("%s made %v; want one task", key, got)
		}
	}
	if tasks, err := open(t, d).List(t.Context(), task.Page{Limit: 1000}); err != nil || len(tasks) != len(args)-1 {
		t.Errorf("there are %d tasks, %v; want %d", len(tasks), err, len(args)-1)
	}
}

// TestKilledProcesses checks that every answered change survives the death of all processes at once.
func TestKilledProcesses(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	list := launch(t, d, processes, "create")
	begin(t, list)
	const lines = 200
	answered := map[string]string{}
	note := func(p *process) {
		id, what, _ := strings.Cut(p.out.Text(), " ")
		if answered[id] != "completed" { // another process may have printed it first
			answered[id] = what
		}
	}
	for _, p := range list {
		for i := 0; i < lines && p.out.Scan(); i++ {
			note(p)
		}
	}
	for _, p := range list {
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range list {
		for p.out.Scan() { // printed and not read yet
			if strings.Contains(p.out.Text(), " ") {
				note(p)
			}
		}
	}
	s := open(t, d)
	for id, what := range answered {
		got, err := s.Get(t.Context(), uuid.MustParse(id))
		if err != nil || what == "completed" && got.Status != task.Completed {
			t.Errorf("task %s, which was %s, is %+v, %v", id, what, got, err)
		}
	}
	if len(answered) < lines {
		t.Errorf("%d tasks were created; want more", len(answered))
	}
	var verdict string
	if err := connect(t, d).QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check says %q, %v", verdict, err)
	}
	storetest.Create(t, s)
}
