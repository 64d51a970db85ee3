package e2e_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// clickHouse returns the process id of the stack's ClickHouse.
func (s *running) clickHouse(data string) int {
	s.t.Helper()
	for _, p := range processTable(s.t) {
		if strings.Contains(p.command, filepath.Join(data, "clickhouse", "config.xml")) {
			return p.id
		}
	}
	s.t.Fatal("no ClickHouse runs")
	return 0
}

// TestClickHouseHangs makes ClickHouse hang while tasks run. Requests go on, and after it resumes, every line arrives
// once.
func TestClickHouseHangs(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, data, "JobMinDuration=100ms JobMaxDuration=200ms JobFailureRate=0", "--clickhouse", "auto")
	ids := []string{s.submit()}
	server := s.clickHouse(data)
	if err := syscall.Kill(server, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		ids = append(ids, s.submit())
	}
	for _, id := range ids {
		s.until("the tasks to complete", 30*time.Second, func() bool { return s.status(id) == "completed" })
	}
	if err := syscall.Kill(server, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	db := s.logs(data)
	list := "'" + strings.Join(ids, "', '") + "'"
	var lines, distinct int64
	s.until("all submissions to be in ClickHouse", time.Minute, func() bool {
		s.status(ids[0]) // the next invocation's end sends what the environment holds
		err := db.QueryRow("SELECT toInt64(count()), toInt64(uniqExact(task_id)) FROM logs WHERE message = 'task submitted' AND task_id IN ("+list+")").Scan(&lines, &distinct)
		if err != nil {
			t.Fatal(err)
		}
		return distinct == int64(len(ids))
	})
	if lines != distinct {
		t.Errorf("%d lines of %d submissions", lines, distinct)
	}
}

// TestLongJobsSendMeanwhile checks that the first lines of a job arrive while it runs.
func TestLongJobsSendMeanwhile(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, data, "JobMinDuration=4m JobMaxDuration=5m", "--clickhouse", "auto")
	id, db := s.submit(), s.logs(data)
	s.until("the job's first line", time.Minute, func() bool {
		var n int64
		if err := db.QueryRow("SELECT toInt64(count()) FROM logs WHERE message = 'task started' AND task_id = ?", id).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 1
	})
	if got := s.status(id); got != "in process" {
		t.Errorf("the task is %q", got)
	}
}

// BenchmarkPostTaskClickHouse measures the duration of POST /task with ClickHouse off, healthy, hanging and gone, side
// by side.
func BenchmarkPostTaskClickHouse(b *testing.B) {
	data := b.TempDir()
	off, on := start(b, b.TempDir(), ""), start(b, data, "", "--clickhouse", "auto")
	server := on.clickHouse(data)
	for _, c := range []struct {
		name   string
		stack  *running
		signal syscall.Signal
	}{{"off", off, 0}, {"healthy", on, 0}, {"hanging", on, syscall.SIGSTOP}, {"gone", on, syscall.SIGKILL}} {
		if err := syscall.Kill(server, c.signal); err != nil {
			b.Fatal(err)
		}
		b.Run("clickhouse="+c.name, func(b *testing.B) { c.stack.posts(b) })
	}
}

// posts measures POST /task at 25 requests a second. An old server without asynchronous inserts delays clients that
// insert faster than it merges.
func (s *running) posts(b *testing.B) {
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	post := func() time.Duration {
		before := time.Now()
		if err := created(http.Post(s.api+"/task", "", http.NoBody)); err != nil {
			b.Fatal(err)
		}
		return time.Since(before)
	}
	for range 20 {
		post()
	}
	var took []time.Duration
	for range max(b.N, 250) { // fewer have no 99th percentile
		<-tick.C
		took = append(took, post())
	}
	b.ReportMetric(0, "ns/op") // it includes the pauses
	slices.Sort(took)
	for _, p := range []int{50, 99, 100} {
		b.ReportMetric(milliseconds(took[(len(took)-1)*p/100]), fmt.Sprintf("p%d-ms", p))
	}
}
