package e2e_test

import (
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var workerProcess = regexp.MustCompile(`(?m)^ *(\d+) +(\d+) .*/functions/worker$`)

// workers are the processes of the worker that run now.
func (s *running) workers() []int {
	s.t.Helper()
	list, err := exec.Command("ps", "-ax", "-o", "pid=", "-o", "ppid=", "-o", "args=").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	var pids []int
	for _, m := range workerProcess.FindAllStringSubmatch(string(list), -1) {
		if pid, err := strconv.Atoi(m[1]); err == nil && m[2] == strconv.Itoa(s.cmd.Process.Pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// sweep invokes the sweeper, whose schedule is once a minute.
func (s *running) sweep() {
	s.t.Helper()
	r, err := http.Post(s.aws+"/2015-03-31/functions/ksu-SweeperFunction/invocations", "application/json", strings.NewReader("{}"))
	if err != nil {
		s.t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusOK || r.Header.Get("X-Amz-Function-Error") != "" {
		s.t.Fatalf("the sweeper failed: %s %v", r.Status, r.Header)
	}
}

// TestStoppedWorkersReleaseTheirTasks: a worker that gets SIGTERM, as Lambda sends it to an environment that it ends,
// gives its task back at once, where one that is killed leaves it until the lease ends after 9 s.
func TestStoppedWorkersReleaseTheirTasks(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "Semaphore=2 JobMinDuration=4m JobMaxDuration=5m MaxAttempts=1")
	id := s.submit()
	s.until("the task to run", 20*time.Second, func() bool { return s.status(id) == "in process" })
	for _, pid := range s.workers() {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	s.until("the task to be given back", 8*time.Second, func() bool { return s.status(id) == "created, but waiting to start" })
	s.sweep()
	s.until("another worker to run it, since a release is no attempt", 20*time.Second, func() bool { return s.status(id) == "in process" })
	for _, pid := range s.workers() {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	s.until("the lease to end, and with it the only attempt", 60*time.Second, func() bool {
		s.sweep()
		return s.status(id) == "failed by io bound"
	})
	const reason = "the worker stopped during the attempt"
	if r := s.do("GET", "/task/"+id+"/result", ""); r.status != 409 || !strings.Contains(r.body, `"error":"`+reason+`"`) {
		t.Errorf("result: %d %s, want the reason %q", r.status, r.body, reason)
	}
}

// TestJobsEndBeforeTheirFunction: the worker writes the ending of a job that takes too long, before its environment is
// killed.
func TestJobsEndBeforeTheirFunction(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "JobMinDuration=10m JobMaxDuration=10m WorkerTimeout=30")
	id := s.submit()
	s.until("the job to be stopped", time.Minute, func() bool { return s.status(id) == "failed by io bound" })
	if r := s.do("GET", "/task/"+id+"/result", ""); !strings.Contains(r.body, "the job did not end before the function's time-out") {
		t.Errorf("result: %d %s", r.status, r.body)
	}
	if strings.Contains(s.output(), "Task timed out") {
		t.Error("the function was killed by its time-out")
	}
}
