package postgres

import (
	"cmp"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// BenchmarkGrowth compares a table of millions of ended tasks with one of thousands: a sweep with 100 candidates of
// each kind, the claim of a task, the first page of the list. It measures the two by turns, so that other load hits
// both. "x" is the ratio of their medians; above 1.5 it fails. BENCH_ROWS is the size of the large table; default 5
// million, which takes some two minutes to create.
func BenchmarkGrowth(b *testing.B) {
	large := 5_000_000
	if value := os.Getenv("BENCH_ROWS"); value != "" {
		var err error
		if large, err = strconv.Atoi(value); err != nil {
			b.Fatalf("BENCH_ROWS: %v", err)
		}
	}
	tables := []*grown{grow(b, 5_000), grow(b, large)}
	for _, step := range []struct {
		name string
		// prepare is not measured.
		prepare, run func(g *grown, b *testing.B)
		// plans are the statements and arguments whose plans to show.
		plans [][2]string
	}{
		{"sweep", (*grown).candidates, (*grown).sweep, [][2]string{
			{rescueSQL, `100, 3, '1 s', 'reason', '15 min'`}, {announceSQL, `100, '15 min'`}, {loadSQL, `100`}, {purgeSQL, `100, '30 days', '1 day', '1 day'`}}},
		{"claim", (*grown).waiting, (*grown).claim, nil},
		{"first-page", func(*grown, *testing.B) {}, (*grown).page, [][2]string{{listSQL(task.Page{}), `'ffffffff-ffff-ffff-ffff-ffffffffffff', 101`}}},
	} {
		b.Run(step.name, func(b *testing.B) {
			took := make([][]time.Duration, len(tables))
			for b.Loop() {
				for i, g := range tables {
					step.prepare(g, b)
					start := time.Now()
					step.run(g, b)
					took[i] = append(took[i], time.Since(start))
				}
			}
			small, large := median(took[0]), median(took[1])
			ratio := float64(large) / float64(small)
			b.ReportMetric(0, "ns/op") // of both, including their preparation
			b.ReportMetric(float64(small.Microseconds()), "µs/small")
			b.ReportMetric(float64(large.Microseconds()), "µs/large")
			b.ReportMetric(ratio, "x")
			if len(took[0]) >= 20 && ratio > 1.5 {
				b.Errorf("%s takes %s with %d ended tasks, %.1f times the %s with %d", step.name, large, tables[1].rows, ratio, small, tables[0].rows)
			}
			tables[1].show(b, step.plans)
		})
	}
}

func median(list []time.Duration) time.Duration {
	slices.SortFunc(list, cmp.Compare[time.Duration])
	return list[len(list)/2]
}

// grown is a store with many ended tasks and a few hundred others.
type grown struct {
	*Store
	url  string
	rows int
}

func grow(b *testing.B, rows int) *grown {
	b.Helper()
	url := testserver.Postgres(b)
	fill(b, url, rows)
	exec(b, url, `VACUUM tasks`)
	return &grown{open(b, url), url, rows}
}

// candidates creates a sweep's work: 100 tasks whose lease has expired and 100 that are not sent.
func (g *grown) candidates(b *testing.B) {
	for _, sql := range []string{
		`UPDATE tasks SET status = 'running', tries = 1, started_at = now(), lease_expires_at = now() - interval '1 s'
		WHERE status IN ('pending', 'running') AND attempt = 1`,
		`UPDATE tasks SET due = false, announced = false, run_at = now() + interval '1 min' WHERE status = 'pending' AND NOT due AND attempt = 0`,
	} {
		if _, err := g.pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
}

func (g *grown) sweep(b *testing.B) {
	ctx := b.Context()
	rescued, err := g.Rescue(ctx, 100, task.RetryPolicy{MaxAttempts: 3, Backoff: time.Hour, Reason: "lost"})
	if err != nil || len(rescued) != 100 {
		b.Fatalf("rescued %d, %v; want 100", len(rescued), err)
	}
	permits, err := g.Announce(ctx, 100)
	if err != nil || len(permits) != 100 {
		b.Fatalf("%d announced, %v; want 100", len(permits), err)
	}
	if _, err := g.Wake(ctx, 100); err != nil {
		b.Fatal(err)
	}
	if _, err := g.Expire(ctx, 100); err != nil {
		b.Fatal(err)
	}
	if _, err := g.Load(ctx, 100); err != nil {
		b.Fatal(err)
	}
	if _, err := g.Purge(ctx, 100, task.Retention{Ended: 30 * 24 * time.Hour, Cancelled: 24 * time.Hour}); err != nil {
		b.Fatal(err)
	}
}

func (g *grown) waiting(b *testing.B) { storetest.Create(b, g.Store) }

func (g *grown) claim(b *testing.B) {
	t, err := g.Claim(b.Context(), storetest.Hour)
	if err == nil {
		err = g.Complete(b.Context(), t.ID, t.Attempt, []byte(`"result"`), nil)
	}
	if err != nil {
		b.Fatal(err)
	}
}

func (g *grown) page(b *testing.B) {
	if list, err := g.List(b.Context(), task.Page{}); err != nil || len(list) != task.DefaultPageLimit {
		b.Fatalf("%d tasks, %v; want a full page", len(list), err)
	}
}

var scan = regexp.MustCompile(`\w[\w ]* Scan[^(]*`)

// show logs how statements find their rows: only by indexes.
func (g *grown) show(b *testing.B, statements [][2]string) {
	conn := connect(b, g.url)
	var scans []string
	for _, s := range statements {
		for _, found := range scan.FindAllString(explain(b, conn, s[0], s[1], "auto"), -1) {
			scans = append(scans, strings.TrimSpace(found))
		}
	}
	text := strings.Join(scans, "; ")
	b.Logf("with %d ended tasks: %s", g.rows, text)
	if strings.Contains(text, "Seq Scan") {
		b.Error("a statement reads the whole table")
	}
}
