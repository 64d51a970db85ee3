package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"
)

// plan is what TestChaos does to the stack. The seed alone decides the faults, their order, and each client's
// submissions and deletions. The exact times also depend on the machine.
type plan struct {
	storage   string
	seed      uint64
	tasks     int
	time      time.Duration // of submissions and faults
	semaphore int
	jobs      int // per worker process
	faults    []fault
}

// fault is one thing that breaks.
type fault struct {
	kind  string
	pause time.Duration // before it
	n     int           // its size: processes, answers or messages
}

// rates are the faults, and how often each happens in a minute.
var rates = []struct {
	kind      string
	perMinute float64
	most      int    // the largest n
	storage   string // the only storage that has the fault, or ""
}{
	{"kill workers", 70, 2, ""},  // with SIGKILL
	{"pause workers", 30, 4, ""}, // for longer than a lease
	{"kill the sweeper", 10, 1, ""},
	{"kill API functions", 30, 3, ""},      // while they serve requests
	{"cut connections", 25, 1, "postgres"}, // of Postgres, in the middle of statements
	{"lose answers", 20, 4, "postgres"},    // of Postgres, after it has executed the statement
	{"restart Postgres", 5, 1, "postgres"}, // gracefully
	{"crash Postgres", 5, 1, "postgres"},   // and recover
	{"SQS answers 500", 5, 1, ""},          // for a second or so
	{"SQS answers 500 falsely", 5, 1, ""},  // after it has accepted the message
	{"SQS takes messages twice", 5, 1, ""}, // as in its at-least-once delivery
	{"send duplicates", 20, 3, ""},         // of sent tasks and unknown tasks, and malformed messages
	{"kill the stack", 4, 1, ""},           // with SIGKILL, and start it again on the same data
}

// newPlan returns a plan in which every fault of the storage happens at least once.
func newPlan(storage string, seed uint64, tasks int, within time.Duration, semaphore int) plan {
	p := plan{storage: storage, seed: seed, tasks: tasks, time: within, semaphore: semaphore, jobs: 1}
	random := rand.New(rand.NewPCG(seed, 0))
	if jobs := 1 + random.IntN(4); semaphore/jobs >= 2 {
		p.jobs, p.semaphore = jobs, semaphore/jobs*jobs
	}
	for _, r := range rates {
		if r.storage != "" && r.storage != storage {
			continue
		}
		for range max(1, int(r.perMinute*within.Minutes())) {
			p.faults = append(p.faults, fault{kind: r.kind, n: 1 + random.IntN(r.most)})
		}
	}
	random.Shuffle(len(p.faults), func(i, j int) { p.faults[i], p.faults[j] = p.faults[j], p.faults[i] })
	for i := range p.faults {
		p.faults[i].pause = time.Duration(random.Int64N(2 * int64(within) / int64(len(p.faults)) * 2 / 3)) // the faults take time too
	}
	return p
}

// planFromEnvironment returns the short form, unless CHAOS_SEED, CHAOS_TASKS, CHAOS_TIME and CHAOS_SEMAPHORE override
// it; `make chaos` runs the long form.
func planFromEnvironment(t *testing.T, storage string) plan {
	t.Helper()
	seed, tasks, semaphore, within := rand.Uint64(), 200, 16, 5*time.Second
	var errs [4]error
	for i, read := range []struct {
		name string
		set  func(string) error
	}{
		{"CHAOS_SEED", func(v string) (err error) { seed, err = strconv.ParseUint(v, 10, 64); return err }},
		{"CHAOS_TASKS", func(v string) (err error) { tasks, err = strconv.Atoi(v); return err }},
		{"CHAOS_SEMAPHORE", func(v string) (err error) { semaphore, err = strconv.Atoi(v); return err }},
		{"CHAOS_TIME", func(v string) (err error) { within, err = time.ParseDuration(v); return err }},
	} {
		if value := os.Getenv(read.name); value != "" {
			if errs[i] = read.set(value); errs[i] != nil {
				t.Fatalf("%s: %v", read.name, errs[i])
			}
		}
	}
	if tasks < 1 || semaphore < 2 || within < time.Second {
		t.Fatal("CHAOS_TASKS must be at least 1, CHAOS_SEMAPHORE at least 2, CHAOS_TIME at least 1s")
	}
	return newPlan(storage, seed, tasks, within, semaphore)
}

// String returns the command that repeats the plan.
func (p plan) String() string {
	return fmt.Sprintf("STORAGE=%s CHAOS_SEED=%d CHAOS_TASKS=%d CHAOS_TIME=%s CHAOS_SEMAPHORE=%d", p.storage, p.seed, p.tasks, p.time, p.semaphore)
}

func TestASeedIsASchedule(t *testing.T) {
	t.Parallel()
	for _, storage := range storages {
		plan := func(seed uint64) plan { return newPlan(storage, seed, 10, time.Minute, 4) }
		if !reflect.DeepEqual(plan(7), plan(7)) || reflect.DeepEqual(plan(7).faults, plan(8).faults) {
			t.Errorf("%s: the faults do not follow from the seed", storage)
		}
		happens := map[string]bool{}
		for _, f := range newPlan(storage, 7, 10, time.Second, 4).faults {
			happens[f.kind] = true
		}
		for _, r := range rates {
			if want := r.storage == "" || r.storage == storage; happens[r.kind] != want {
				t.Errorf("%s: %q happens: %t, want %t", storage, r.kind, !want, want)
			}
		}
	}
}
