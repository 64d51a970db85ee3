package e2e_test

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// AWS's list price of Lambda on arm64 in us-east-1, and the worker's memory in GB. See https://aws.amazon.com/lambda/pricing/.
const gigabyteSecond, invocation, memory = 0.0000133334, 0.20 / 1e6, 0.125

// BenchmarkBilledDuration is what a task costs on AWS, by how many of them share an environment: the billed durations of
// the worker's REPORT lines, divided by the tasks. Jobs take seconds where they take minutes by default; billed-share is
// the billed time of a task as a part of its job's 4 s on average; usd/1000x240s is what 1,000 tasks of
// 240 s cost at that share.
func BenchmarkBilledDuration(b *testing.B) {
	const tasks, job = 192, 4 * time.Second
	for _, jobs := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("jobs=%d", jobs), func(b *testing.B) {
			for b.Loop() {
				s := start(b, b.TempDir(), fmt.Sprintf("Semaphore=64 JobsPerInvocation=%d WorkerConcurrency=%d "+
					"JobMinDuration=3s JobMaxDuration=5s JobFailureRate=0", jobs, 64/jobs))
				for range tasks {
					s.submit()
				}
				s.until("all tasks to complete", 5*time.Minute, func() bool { return s.count("completed") == tasks })
				var invocations []time.Duration
				ended := func() bool { invocations = s.billed("WorkerFunction"); return s.busy("WorkerFunction") == 0 }
				s.until("the worker's last REPORT line", 30*time.Second, ended)
				var total time.Duration
				for _, d := range invocations {
					total += d
				}
				b.ReportMetric(total.Seconds()/tasks, "billed-s/task")
				b.ReportMetric(total.Seconds()/tasks/job.Seconds(), "billed-share")
				b.ReportMetric(float64(tasks)/float64(len(invocations)), "tasks/invocation")
				share, each := total.Seconds()/tasks/job.Seconds(), float64(len(invocations))/tasks
				b.ReportMetric(1000*(share*240*memory*gigabyteSecond+each*invocation), "usd/1000x240s")
				if err := s.stop(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var billedLine = regexp.MustCompile(`(?m)^(\w+) .*REPORT RequestId: .*Billed Duration: (\d+) ms`)

// billed returns the billed durations of a function's ended invocations.
func (s *running) billed(function string) []time.Duration {
	var all []time.Duration
	for _, line := range billedLine.FindAllStringSubmatch(s.output(), -1) {
		if line[1] != function {
			continue
		}
		ms, err := strconv.Atoi(line[2])
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, time.Duration(ms)*time.Millisecond)
	}
	return all
}

// busy returns how many of a function's invocations have not ended.
func (s *running) busy(function string) int {
	started := regexp.MustCompile(`(?m)^`+function+` .*START RequestId: `).FindAllString(s.output(), -1)
	return len(started) - len(s.billed(function))
}
