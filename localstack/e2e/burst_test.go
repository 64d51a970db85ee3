package e2e_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// burstClients is far above the API's concurrency and the database's connections in TestBurst.
const burstClients = 500

// burstParameters let no task end meanwhile: every slot is busy and holds its connections.
const burstParameters = `JobMinDuration=4m JobMaxDuration=5m DatabaseUrl="%s"`

// patient gives the clients time for their header, since they share the processor with the stack.
var patient = []string{"--read-header-timeout", "1m"}

// burst lets many clients submit tasks, each as fast as the API answers, and counts the answers by status. problems are
// the answers that a burst does not excuse.
func (s *running) burst(clients int, took time.Duration, meanwhile func()) (counts map[int]int, problems []string) {
	ctx, cancel := context.WithTimeout(context.Background(), took)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	counts = map[int]int{}
	var mu sync.Mutex
	note := func(status int, problem string) {
		mu.Lock()
		defer mu.Unlock()
		counts[status]++
		if problem != "" && len(problems) < 10 {
			problems = append(problems, problem)
		}
	}
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				answer, err := client.Post(s.api+"/task", "", http.NoBody)
				if err != nil {
					note(0, err.Error())
					continue
				}
				body, err := io.ReadAll(answer.Body)
				_ = answer.Body.Close()
				switch {
				case err != nil:
					note(answer.StatusCode, err.Error())
				case answer.StatusCode == http.StatusCreated,
					answer.StatusCode == http.StatusTooManyRequests && answer.Header.Get("Retry-After") != "":
					note(answer.StatusCode, "")
				default:
					note(answer.StatusCode, fmt.Sprintf("%d %v %s", answer.StatusCode, answer.Header, body))
				}
			}
		})
	}
	if meanwhile != nil {
		meanwhile()
	}
	all.Wait()
	return counts, problems
}

// next measures one request after the burst.
func (s *running) next() time.Duration {
	s.t.Helper()
	before := time.Now()
	s.submit()
	return time.Since(before)
}

// TestBurst sends requests of 500 clients at once to a server with 100 connections. Each gets 201, or 429 with
// Retry-After. Meanwhile a person can log in to the database, since no function is a superuser. Afterwards the next
// request gets its answer at once.
func TestBurst(t *testing.T) {
	t.Parallel()
	database := postgresWith(t, map[string]string{"max_connections": "100"})
	s := start(t, t.TempDir(), fmt.Sprintf(burstParameters, database), patient...)
	var users []string
	counts, problems := s.burst(burstClients, 3*time.Second, func() {
		conn, err := pgx.Connect(t.Context(), database)
		if err != nil {
			t.Errorf("a superuser does not get in: %v", err)
			return
		}
		defer func() { _ = conn.Close(context.Background()) }()
		s.until("the burst to be at its worst", 30*time.Second, func() bool {
			err := conn.QueryRow(t.Context(), `SELECT array_agg(DISTINCT usename::text ORDER BY usename::text) FROM pg_stat_activity
				WHERE usename IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&users)
			if err != nil {
				t.Fatal(err)
			}
			return slices.ContainsFunc(users, func(user string) bool { return strings.HasSuffix(user, "_api") })
		})
	})
	for _, p := range problems {
		t.Error(p)
	}
	if counts[http.StatusCreated] == 0 || counts[http.StatusTooManyRequests] == 0 {
		t.Errorf("answers by status: %v; want some 201 and some 429", counts)
	}
	if slices.Contains(users, "postgres") {
		t.Errorf("functions log in as %v; want none as the superuser", users)
	}
	if took := s.next(); took > time.Second {
		t.Errorf("the next request took %s, want 1s at most", took)
	}
}

// BenchmarkBurst is TestBurst for 30 seconds: the number of answers by status, and the duration of the next request
// afterwards.
func BenchmarkBurst(b *testing.B) {
	for _, clients := range []int{110, burstClients} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			s := start(b, b.TempDir(), fmt.Sprintf(burstParameters, postgresWith(b, map[string]string{"max_connections": "100"})), patient...)
			const took = 30 * time.Second
			for b.Loop() {
				counts, problems := s.burst(clients, took, nil)
				next := s.next()
				for _, p := range problems {
					b.Error(p)
				}
				for _, status := range slices.Sorted(maps.Keys(counts)) {
					b.ReportMetric(float64(counts[status])/took.Seconds(), fmt.Sprintf("%d/s", status))
				}
				b.ReportMetric(milliseconds(next), "next-ms")
			}
		})
	}
}
