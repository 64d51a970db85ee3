package e2e_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// processes returns the running processes of a function.
func (s *running) processes(function string) []int {
	s.t.Helper()
	var pids []int
	for _, p := range family(s.t, s.cmd.Process.Pid) {
		if strings.HasSuffix(p.command, "/functions/"+function) {
			pids = append(pids, p.id)
		}
	}
	slices.Sort(pids)
	return pids
}

// sweep invokes the sweeper, which otherwise runs once a minute.
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

// untilSwept waits for the sweep that a start begins with. A sweep beside a submission may send one permit more than is owed.
func (s *running) untilSwept() {
	s.t.Helper()
	ended := regexp.MustCompile(`(?m)^SweeperFunction\W+END `)
	s.until("the start's sweep to end", 20*time.Second, func() bool { return ended.MatchString(s.output()) })
}

// TestStoppedWorkersReleaseTheirTasks stops a worker with SIGTERM, as Lambda does when it ends an environment: the
// worker gives its task back, and that does not count as an attempt. A killed worker leaves its task until the lease
// expires.
func TestStoppedWorkersReleaseTheirTasks(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "Semaphore=2 JobMinDuration=4m JobMaxDuration=5m MaxAttempts=1")
	s.untilSwept()
	id := s.submit()
	s.until("the task to run", 20*time.Second, func() bool { return s.status(id) == "in process" })
	for _, pid := range s.processes("worker") {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	s.until("the task to be given back, not failed after its only attempt", 20*time.Second, func() bool { return s.status(id) == "created, but waiting to start" })
	s.sweep()
	s.until("another worker to run it, since a release is no attempt", 20*time.Second, func() bool { return s.status(id) == "in process" })
	for _, pid := range s.processes("worker") {
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
	told := regexp.MustCompile(`(?m)^SweeperFunction .*"msg":"task failed".*"error":\["` + reason + `"\].*"task_id":"` + id + `","attempt":2`)
	s.until("the sweeper to say so", 10*time.Second, func() bool { return told.MatchString(s.output()) })
}

// TestJobsEndBeforeTheirFunction checks that the worker writes the ending of a job that takes too long, before its
// environment is killed. The function's time-out here is less than the configuration says.
func TestJobsEndBeforeTheirFunction(t *testing.T) {
	t.Parallel()
	template := changedTemplate(t, t.TempDir(), " Timeout: !Ref WorkerTimeout", " Timeout: 15")
	s := launch(t, t.TempDir(), "--template", template, "--parameter-overrides", "JobMinDuration=4m JobMaxDuration=4m")
	s.untilReady()
	id := s.submit()
	s.until("the job to be stopped", time.Minute, func() bool { return s.status(id) == "failed by io bound" })
	if r := s.do("GET", "/task/"+id+"/result", ""); !strings.Contains(r.body, "the job did not end before the function's time-out") {
		t.Errorf("result: %d %s", r.status, r.body)
	}
	if strings.Contains(s.output(), "Task timed out") {
		t.Error("the function was killed by its time-out")
	}
}
