package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

// seedVariable repeats the random choices of a failed run, but not the order of its goroutines.
const seedVariable = "STORETEST_SEED"

var concurrent = map[string]func(*fixture){
	"random steps keep the state machine": func(f *fixture) {
		m := &model{fixture: f, stores: []task.Store{f.store, f.Open(f), f.Open(f)}}
		m.seed = seed(f)
		for i := range 16 {
			submission := task.Submission{FairnessKey: fmt.Sprint(i % 3), Priority: 1 + i%4, MaxAttempts: modelAttempts}
			if i%2 == 0 {
				submission.Type = "limited"
			}
			m.tasks = append(m.tasks, &history{id: f.submit(submission), spent: map[int]bool{}, tokens: map[int]bool{}})
		}
		var all sync.WaitGroup
		for n := range 8 {
			w := &worker{model: m, store: m.stores[n%len(m.stores)], rand: rand.New(rand.NewPCG(m.seed, uint64(n)))}
			all.Go(w.work)
		}
		watched := make(chan struct{})
		stop := make(chan struct{})
		go func() {
			defer close(watched)
			m.watch(stop)
		}()
		all.Wait()
		close(stop)
		<-watched
		m.check()
	},
}

func seed(f *fixture) uint64 {
	s := rand.Uint64()
	if given := os.Getenv(seedVariable); given != "" {
		var err error
		if s, err = strconv.ParseUint(given, 10, 64); err != nil {
			f.Fatalf("%s: %v", seedVariable, err)
		}
	}
	f.Logf("%s=%d repeats the choices of this run", seedVariable, s)
	return s
}

// model has what workers saw of the tasks, and what that allows.
type model struct {
	*fixture
	stores []task.Store
	seed   uint64
	tasks  []*history
	// givenUp counts the tasks that Rescue failed.
	givenUp atomic.Int64
}

// worker takes random steps, with tokens that may be outdated.
type worker struct {
	*model
	store task.Store
	rand  *rand.Rand
}

func (w *worker) work() {
	const steps = 250
	for range steps {
		h := w.tasks[w.rand.IntN(len(w.tasks))]
		switch n := w.rand.IntN(100); {
		case n < 35:
			w.claim()
		case n < 50:
			w.attempt(h, "heartbeat", func(token int) error { return w.store.Heartbeat(w.ctx, h.id, token, w.lease(), nil) })
		case n < 60:
			w.retry(h)
		case n < 72:
			w.release(h)
		case n < 75:
			w.end(h, task.Completed, func(ctx context.Context, id uuid.UUID, token int, words string) error {
				return w.store.Complete(ctx, id, token, text(words), nil)
			})
		case n < 78:
			w.end(h, task.Failed, func(ctx context.Context, id uuid.UUID, token int, words string) error {
				return w.store.Fail(ctx, id, token, words, nil)
			})
		case n < 79:
			w.cancel(h)
		case n < 89:
			w.rescue()
		case n < 91:
			w.change(h)
		default:
			w.read(h)
		}
	}
}

// lease is often so short that another worker takes the task over.
func (w *worker) lease() time.Duration {
	if w.rand.IntN(2) == 0 {
		return time.Duration(w.rand.IntN(5)) * time.Millisecond
	}
	return lease
}

const (
	modelAttempts = 12
	// modelRunning is how many tasks of the type "limited" run at once.
	modelRunning = 3
)

// claim takes the best task. The limits must hold among the tasks that certainly run.
func (w *worker) claim() {
	before := map[uuid.UUID]facts{}
	for _, h := range w.tasks {
		before[h.id] = h.before()
	}
	t, err := w.store.Claim(w.ctx, task.ClaimRules{Lease: w.lease(), Limits: map[string]task.Limit{"limited": {MaxRunning: modelRunning}}})
	if !w.expected(err, task.ErrNothingToClaim) {
		return
	}
	i := slices.IndexFunc(w.tasks, func(h *history) bool { return h.id == t.ID })
	h, token, was := w.tasks[i], t.Attempt, before[t.ID]
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tokens[token] || token <= was.latest || was.ended != "" || was.cancelled {
		w.Errorf("task %s claimed as attempt %d after %+v", h.id, token, was)
	}
	h.tokens[token] = true
	h.latest = max(h.latest, token)
}

// change changes a waiting task.
func (w *worker) change(h *history) {
	was := h.before()
	t, err := w.store.Update(w.ctx, h.id, task.Change{Priority: 1 + w.rand.IntN(4)})
	if errors.Is(err, task.ErrNotFound) || !w.expected(err, task.ErrNotWaiting) {
		return
	}
	if was.ended != "" || was.cancelled || t.Status != task.Pending {
		w.Errorf("task %s changed after %+v", h.id, was)
	}
}

// attempt takes a step with a token, mostly the latest, and returns the token if it succeeded, else 0.
func (w *worker) attempt(h *history, what string, step func(token int) error) int {
	was := h.before()
	token := was.latest
	if w.rand.IntN(4) == 0 {
		token -= w.rand.IntN(2)
	}
	spent := h.isSpent(token)
	if !w.expected(step(token), task.ErrLeaseLost) {
		return 0
	}
	if token < was.latest || spent || was.ended != "" || was.cancelled {
		w.Errorf("task %s: %s by attempt %d after %+v, spent %t", h.id, what, token, was, spent)
	}
	return token
}

// release gives a task back.
func (w *worker) release(h *history) {
	token := w.attempt(h, "release", func(token int) error { return w.store.Release(w.ctx, h.id, token, 0) })
	w.spend(h, token, "", "")
}

// retry requeues a task, or ends it after its last attempt.
func (w *worker) retry(h *history) {
	var again bool
	var words string
	token := w.attempt(h, "retry", func(token int) (err error) {
		words = fmt.Sprintf("retry by attempt %d", token)
		again, err = w.store.Requeue(w.ctx, h.id, token, words, 0, modelAttempts, nil)
		return err
	})
	if again || token == 0 {
		w.spend(h, token, "", "")
		return
	}
	w.spend(h, token, task.Failed, words)
}

func (w *worker) end(h *history, status task.Status, write func(context.Context, uuid.UUID, int, string) error) {
	var words string
	token := w.attempt(h, "ending", func(token int) error {
		words = fmt.Sprintf("%s by attempt %d", status, token)
		return write(w.ctx, h.id, token, words)
	})
	w.spend(h, token, status, words)
}

// spend records that an attempt has ended and, with a status, how it ended the task. Token 0 means that it has not.
func (w *worker) spend(h *history, token int, status task.Status, words string) {
	if token == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended != "" || h.spent[token] {
		w.Errorf("task %s: attempt %d ended again, %q after %+v", h.id, token, words, h.facts)
	}
	h.spent[token] = true
	if status != "" {
		h.ended, h.ending = status, words
	}
}

func (w *worker) cancel(h *history) {
	if !w.expected(w.store.Cancel(w.ctx, h.id), task.ErrNotFound) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cancelled {
		w.Errorf("task %s cancelled twice", h.id)
	}
	h.cancelled = true
}

func (w *worker) rescue() {
	got, err := w.store.Rescue(w.ctx, 3, task.RetryPolicy{MaxAttempts: modelAttempts, Reason: policy.Reason})
	if w.expected(err, nil) {
		for _, r := range got {
			if r.Failed {
				w.givenUp.Add(1)
			}
		}
	}
}

func (w *worker) read(h *history) {
	was := h.before()
	t, err := w.store.Get(w.ctx, h.id)
	if !w.expected(err, task.ErrNotFound) {
		return
	}
	if was.cancelled || t.Attempt < was.latest || was.ended != "" && t.Status != was.ended {
		w.Errorf("read %+v after %+v", t, was)
	}
}

// expected reports whether a step succeeded. It fails the test for any error but the allowed one.
func (w *worker) expected(err, allowed error) bool {
	if err != nil && (allowed == nil || !errors.Is(err, allowed)) {
		w.Error(err)
	}
	return err == nil
}

// watch repeatedly lists all tasks, and counts the running ones of the limited type.
func (m *model) watch(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		list, err := m.stores[0].List(m.ctx, task.Page{Type: "limited", Status: task.Running})
		if err != nil {
			m.Error(err)
			return
		}
		if len(list) > modelRunning {
			m.Errorf("%d limited tasks run; the limit is %d", len(list), modelRunning)
		}
	}
}

// check compares the tasks with their histories once all workers are done.
func (m *model) check() {
	givenUp := int64(0)
	for _, h := range m.tasks {
		for token := 1; token <= len(h.tokens); token++ {
			if !h.tokens[token] {
				m.Errorf("task %s: no claim returned attempt %d of %d", h.id, token, len(h.tokens))
			}
		}
		t, err := m.store.Get(m.ctx, h.id)
		if errors.Is(err, task.ErrNotFound) != h.cancelled || err != nil && !h.cancelled {
			m.Errorf("task %s: %v; want cancelled %t", h.id, err, h.cancelled)
		}
		if err != nil {
			continue
		}
		if t.Attempt != len(h.tokens) {
			m.Errorf("task %+v: %d claims succeeded", t, len(h.tokens))
		}
		if t.Status == task.Failed && t.Error == policy.Reason {
			givenUp++
			t.Status = ""
		}
		ended := t.Status == task.Completed || t.Status == task.Failed
		if ended != (h.ended != "") || ended && (t.Status != h.ended || ending(t) != h.ending) {
			m.Errorf("task %+v: its ending was %q", t, h.ending)
		}
	}
	if total := m.givenUp.Load(); givenUp > total {
		m.Errorf("%d tasks were given up, but the sweepers said %d", givenUp, total)
	}
}

// ending is what a task's last worker wrote.
func ending(t task.Task) string {
	var result string
	if t.Status == task.Completed {
		if err := json.Unmarshal(t.Result, &result); err != nil {
			return fmt.Sprintf("%s, which is no text: %v", t.Result, err)
		}
	}
	return result + t.Error
}
