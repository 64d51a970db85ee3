package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var profileLine = regexp.MustCompile(`(http://127\.0\.0\.1:\d+/debug/pprof/) of (.+)`)

// profiles returns the addresses in the output so far, by owner.
func (s *running) profiles() map[string][]string {
	found := map[string][]string{}
	for _, m := range profileLine.FindAllStringSubmatch(s.output(), -1) {
		found[m[2]] = append(found[m[2]], m[1])
	}
	return found
}

// goroutines returns the number of a process's goroutines.
func (s *running) goroutines(profiles string) int {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	w, err := client.Get(profiles + "goroutine?debug=1")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	number, ok := strings.CutPrefix(strings.SplitN(string(text), "\n", 2)[0], "goroutine profile: total ")
	n, err := strconv.Atoi(number)
	if !ok || err != nil {
		s.t.Fatalf("the profile is %.100s", text)
	}
	return n
}

// comeAndGo bounds the goroutines that do not depend on the number of requests: those of pooled connections, and of an
// environment that the sweeper's schedule starts meanwhile.
const comeAndGo = 25

// TestThousandRequestsLeaveNoGoroutine counts the goroutines of the local stack and of the API function.
func TestThousandRequestsLeaveNoGoroutine(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "Semaphore=2 JobMinDuration=5m JobMaxDuration=5m", "--pprof")
	id := s.submit()
	s.submit()
	s.until("the semaphore to be full", 20*time.Second, func() bool { return s.count("running") == 2 })
	requests := func(n int) {
		for i := range n {
			switch i % 4 {
			case 0:
				s.submit()
			case 1:
				s.status(id)
			case 2:
				s.count("pending")
			case 3:
				s.do("GET", fmt.Sprintf("/task/%d/result", i), "")
			}
		}
	}
	requests(40) // everything permanent exists after these
	listed := s.profiles()
	if len(listed["ApiFunction"]) != 1 || len(listed["the local stack"]) != 1 || len(listed["WorkerFunction"]) != 2 {
		t.Fatalf("the output lists the profiles %v; want one of the stack and of each environment", listed)
	}
	watched := append(listed["the local stack"], listed["ApiFunction"]...)
	before := map[string]int{}
	for _, address := range watched {
		before[address] = s.goroutines(address)
	}
	requests(1000)
	for _, address := range watched {
		s.until(fmt.Sprintf("the goroutines of %s to be about %d again", address, before[address]), 20*time.Second, func() bool {
			return s.goroutines(address) <= before[address]+comeAndGo
		})
	}
}
