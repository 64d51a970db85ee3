package process

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// stackVariable makes the test binary play a local stack, see playStack.
const stackVariable = "KSU_TEST_PROCESS_STACK"

func TestMain(m *testing.M) {
	if script := os.Getenv(stackVariable); script != "" {
		playStack(script)
		return
	}
	goleak.VerifyTestMain(m)
}

// playStack starts two children under a Supervisor. It prints the watchdog's pid and then the pid and the lines of each
// child, and waits for a signal or the end of its stdin. It waits in a system call: if all goroutines waited for
// channels, the runtime would report a deadlock.
func playStack(script string) {
	s, err := Start()
	if err != nil {
		panic(err)
	}
	fmt.Println("watchdog", s.watchdog.Process.Pid)
	for range 2 {
		cmd := exec.Command("/bin/sh", "-c", script)
		cmd.Stdout = os.Stdout
		if err := s.Start(cmd, syscall.SIGTERM); err != nil {
			panic(err)
		}
		fmt.Println("registered", cmd.Process.Pid)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestChildrenEndWithTheStack(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		script string
		signal syscall.Signal
		marks  bool // whether the children leave a file when they get their own signal
	}{
		"killed":          {script: `sleep 300 & echo child $!; echo child $$; wait`, signal: syscall.SIGKILL},
		"terminated":      {script: `echo child $$; exec sleep 300`, signal: syscall.SIGTERM},
		"own signal":      {script: `trap 'touch $MARK$$; exit' TERM; sleep 300 & echo child $!; echo child $$; wait`, signal: syscall.SIGKILL, marks: true},
		"stopped":         {script: `echo child $$; kill -STOP $$; sleep 300`, signal: syscall.SIGKILL},
		"ignore a signal": {script: `trap '' TERM; echo child $$; while :; do sleep 300; done`, signal: syscall.SIGKILL},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mark := filepath.Join(t.TempDir(), "mark")
			stack, pids := startStack(t, test.script, mark)
			if err := stack.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			_ = stack.Wait()
			for _, pid := range pids {
				until(t, fmt.Sprintf("process %d ends", pid), func() bool { return gone(t, pid) })
			}
			marks, err := filepath.Glob(mark + "*")
			if err != nil {
				t.Fatal(err)
			}
			if test.marks && len(marks) != 2 {
				t.Errorf("%d of 2 children got their own signal", len(marks))
			}
		})
	}
}

func TestTheWatchdogOutlivesTheTerminalsSignals(t *testing.T) {
	t.Parallel()
	stack, pids := startStack(t, `echo child $$; exec sleep 300`, "")
	watchdog := pids[0]
	if own, err := syscall.Getpgid(watchdog); err != nil || own != watchdog {
		t.Fatalf("the watchdog's process group is %d (%v), want its own, %d", own, err, watchdog)
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if err := syscall.Kill(watchdog, s); err != nil {
			t.Fatal(err)
		}
	}
	_ = stack.Process.Kill()
	_ = stack.Wait()
	for _, pid := range pids {
		until(t, fmt.Sprintf("process %d ends", pid), func() bool { return gone(t, pid) })
	}
}

func TestExitedForgetsTheGroupAndEndsItsRest(t *testing.T) {
	t.Parallel()
	s := start(t)
	cmd := exec.Command("/bin/sh", "-c", "sleep 300 >/dev/null & echo $!")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(cmd, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	grandchild, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	s.Exited(cmd.Process.Pid)
	s.Exited(cmd.Process.Pid) // unknown by now
	until(t, "the grandchild ends", func() bool { return gone(t, grandchild) })
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("Close took %v with nothing registered", took)
	}
}

func TestCloseEndsWhatIsRegistered(t *testing.T) {
	t.Parallel()
	for name, stopped := range map[string]bool{"running": false, "stopped": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			cmd := exec.Command("/bin/sleep", "300")
			if err := s.Start(cmd, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if stopped {
				if err := syscall.Kill(cmd.Process.Pid, syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := <-ended; !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
				t.Errorf("the process ended with %v, want SIGTERM", err)
			}
			if err := s.Start(exec.Command("/bin/true"), syscall.SIGTERM); !errors.Is(err, ErrClosed) {
				t.Errorf("Start after Close: %v, want %v", err, ErrClosed)
			}
		})
	}
}

func TestStartReportsWhatCannotStart(t *testing.T) {
	t.Parallel()
	s := start(t)
	err := s.Start(exec.Command("/nonexistent/program"), syscall.SIGTERM)
	if err == nil || !strings.Contains(err.Error(), "/nonexistent/program") {
		t.Errorf("got %v, want an error that names the program", err)
	}
}

func TestStartFailsWithoutItsWatchdog(t *testing.T) {
	t.Parallel()
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	_ = s.watchdog.Process.Kill()
	until(t, "Start fails", func() bool {
		cmd := exec.Command("/bin/sleep", "300")
		if err := s.Start(cmd, syscall.SIGKILL); err != nil {
			return true
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		s.Exited(cmd.Process.Pid)
		return false
	})
}

// start returns a Supervisor that the end of the test closes.
func start(t *testing.T) *Supervisor {
	t.Helper()
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// startStack starts playStack in a process of its own and returns that process with the pids that it printed. The pid of
// the watchdog is the first.
func startStack(t *testing.T, script, mark string) (*exec.Cmd, []int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), stackVariable+"="+script, "MARK="+mark)
	stdin, err := cmd.StdinPipe() // open as long as the test runs
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = stdin.Close()
	})
	want := 1 + 2*(1+strings.Count(script, "echo child"))
	var pids []int
	for lines := bufio.NewScanner(out); len(pids) < want && lines.Scan(); {
		_, number, _ := strings.Cut(lines.Text(), " ")
		pid, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("the stack printed %q", lines.Text())
		}
		pids = append(pids, pid)
	}
	if len(pids) < want {
		t.Fatalf("the stack printed %d pids, want %d", len(pids), want)
	}
	return cmd, pids
}

// gone reports whether the process has ended. A zombie has.
func gone(t *testing.T, pid int) bool {
	t.Helper()
	_, running, err := Lookup(pid)
	if err != nil {
		t.Fatal(err)
	}
	return !running
}

// until waits for a condition.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
