package sweeper_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/sweeper"
	"github.com/eragon-mdi/ksu/shared/task"
)

var id = uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")

// store answers each step once with the test's values, and then with nothing to do.
type store struct {
	rescued   []task.Rescued
	expired   []uuid.UUID
	announced []task.Permit
	due       int
	load      task.Load
	purged    int
	err       error // of Rescue
	asked     []int // of Load
	policies  []task.RetryPolicy
	kept      task.Retention
}

// once returns the test's values once, then none.
func once[T any](from *[]T) []T {
	list := *from
	*from = nil
	return list
}

func (s *store) Rescue(_ context.Context, _ int, p task.RetryPolicy) ([]task.Rescued, error) {
	s.policies = append(s.policies, p)
	return once(&s.rescued), s.err
}
func (s *store) Expire(context.Context, int) ([]uuid.UUID, error)     { return once(&s.expired), nil }
func (s *store) Announce(context.Context, int) ([]task.Permit, error) { return once(&s.announced), nil }
func (s *store) Wake(context.Context, int) (n int, err error)         { n, s.due = s.due, 0; return n, nil }
func (s *store) Load(_ context.Context, most int) (task.Load, error) {
	s.asked = append(s.asked, most)
	return task.Load{Waiting: min(s.load.Waiting, most), Running: s.load.Running}, nil
}
func (s *store) Purge(_ context.Context, _ int, keep task.Retention) (n int, err error) {
	s.kept = keep
	n, s.purged = s.purged, 0
	return n, nil
}

type sent struct {
	permits []task.Permit
	err     error
	waiting int
	uncount error // of Waiting
}

func (q *sent) Waiting(context.Context) (int, error) { return q.waiting, q.uncount }

func (q *sent) Send(_ context.Context, permits ...task.Permit) error {
	if q.err == nil {
		q.permits = append(q.permits, permits...)
	}
	return q.err
}

func handle(t *testing.T, s *store, q *sent, event string) (sweeper.Swept, error) {
	t.Helper()
	got, err := sweeper.New(s, q, slog.New(slog.DiscardHandler), sweeper.Config{Batch: 2, Semaphore: 8}).Handle(t.Context(), json.RawMessage(event))
	return got.(sweeper.Swept), err
}

func TestSweep(t *testing.T) {
	t.Parallel()
	s := &store{
		rescued: []task.Rescued{{ID: id, FairnessKey: "k", Due: 5 * time.Second}, {ID: uuid.Nil, Failed: true}}, purged: 2, due: 1,
		expired: []uuid.UUID{id}, announced: []task.Permit{{Task: id, Delay: time.Minute}}, load: task.Load{Waiting: 2, Running: 3},
	}
	q := &sent{}
	got, err := handle(t, s, q, `{"detail-type":"Scheduled Event"}`)
	if want := (sweeper.Swept{Sent: 4, Requeued: 1, Failed: 1, Due: 1, Expired: 1, Purged: 2}); err != nil || got != want {
		t.Errorf("swept %+v, %v; want %+v", got, err, want)
	}
	want := []task.Permit{{Task: id, FairnessKey: "k", Delay: 5 * time.Second}, {}, {}, {Task: id, Delay: time.Minute}}
	if !slices.Equal(q.permits, want) {
		t.Errorf("sent %+v, want %+v", q.permits, want)
	}
	if len(s.policies) != 2 { // after a full batch comes another
		t.Errorf("%d rounds of rescue, want 2", len(s.policies))
	}
	if s.kept.Ended != 30*24*time.Hour || s.kept.Cancelled != 24*time.Hour || s.policies[0].MaxAttempts != 3 {
		t.Errorf("kept %+v, policy %+v", s.kept, s.policies[0])
	}
}

// TestOwedPermits checks that as many waiting tasks have a receivable permit as the semaphore has free slots.
func TestOwedPermits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		load    task.Load
		visible int
		want    int
	}{
		"nothing waits":             {task.Load{Running: 3}, 0, 0},
		"a message was lost":        {task.Load{Waiting: 3}, 2, 1},
		"a backlog":                 {task.Load{Waiting: 100_000}, 0, 8},
		"a backlog, slots are busy": {task.Load{Waiting: 100_000, Running: 6}, 0, 2},
		"all slots are busy":        {task.Load{Waiting: 5, Running: 8}, 0, 0},
		"more than can be":          {task.Load{Waiting: 5, Running: 9}, 0, 0},
		"all permits are there":     {task.Load{Waiting: 5}, 7, 0},
	} {
		s, q := &store{load: c.load}, &sent{waiting: c.visible}
		if got, err := handle(t, s, q, `{}`); err != nil || got.Sent != c.want || len(q.permits) != c.want {
			t.Errorf("%s: sent %d, %v; want %d", name, got.Sent, err, c.want)
		}
		if !slices.Equal(s.asked, []int{8}) {
			t.Errorf("%s: counted up to %v", name, s.asked)
		}
	}
	if got, err := handle(t, &store{load: task.Load{Waiting: 1}}, &sent{uncount: errors.New("queue down")}, `{}`); err == nil || got.Sent != 0 {
		t.Errorf("sent %d, %v though nobody can tell what waits", got.Sent, err)
	}
}

// TestRescuedTasksHaveTheirPermits checks that a permit is delayed until the task is due. A later sweep announces that
// of a longer wait.
func TestRescuedTasksHaveTheirPermits(t *testing.T) {
	t.Parallel()
	rescued := []task.Rescued{{ID: id, Due: task.MaxDelay}, {ID: uuid.New(), Due: task.MaxDelay + 1}, {ID: uuid.Nil, Failed: true}}
	s, q := &store{rescued: slices.Clone(rescued)}, &sent{}
	if _, err := handle(t, s, q, `{}`); err != nil {
		t.Fatal(err)
	}
	if want := []task.Permit{{Task: id, Delay: task.MaxDelay}}; !slices.Equal(q.permits, want) {
		t.Errorf("sent %+v, want %+v", q.permits, want)
	}
	down := &sent{err: errors.New("queue down")}
	if got, err := handle(t, &store{rescued: slices.Clone(rescued)}, down, `{}`); !errors.Is(err, down.err) || got.Sent != 0 {
		t.Errorf("with the queue down: %+v, %v", got, err)
	}
}

func TestPartsFailByThemselves(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	s := &store{load: task.Load{Waiting: 1}, purged: 1, err: away}
	q := &sent{err: errors.New("queue down")}
	var out bytes.Buffer
	got, err := sweeper.New(s, q, slog.New(slog.NewJSONHandler(&out, nil)), sweeper.Config{}).Handle(t.Context(), json.RawMessage(`{}`))
	if !errors.Is(err, away) || !errors.Is(err, q.err) || got.(sweeper.Swept).Purged != 1 {
		t.Errorf("swept %+v, %v", got, err)
	}
	if log := out.String(); !strings.Contains(log, `"ERROR"`) || !strings.Contains(log, "queue down") || !strings.Contains(log, `"purged":1`) {
		t.Errorf("the log lacks the error or the counts:\n%s", log)
	}
}

// TestDeadLettersAreDropped checks that the sweep after a dead letter sends what is owed, whatever the letter says. If
// the sweep fails, SQS redelivers the letters.
func TestDeadLettersAreDropped(t *testing.T) {
	t.Parallel()
	const event = `{"Records":[{"messageId":"a","body":"{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}"},{"messageId":"b","body":"?"}]}`
	q := &sent{}
	got, err := handle(t, &store{load: task.Load{Waiting: 1}}, q, event)
	if err != nil || !reflect.DeepEqual(got, sweeper.Swept{Sent: 1}) || len(q.permits) != 1 {
		t.Errorf("swept %+v, %v; sent %v", got, err, q.permits)
	}
	if _, err := handle(t, &store{err: task.ErrUnavailable}, &sent{}, event); !errors.Is(err, task.ErrUnavailable) {
		t.Errorf("without a store: %v", err)
	}
}
