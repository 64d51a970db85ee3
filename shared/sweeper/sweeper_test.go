package sweeper_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/sweeper"
	"github.com/eragon-mdi/ksu/shared/task"
)

var id = uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")

// store answers each step once with what a test set, and then with nothing to do.
type store struct {
	unsent   []uuid.UUID
	resend   time.Duration // asked of Unsent
	rescued  []task.Rescued
	purged   int
	err      error
	marked   []uuid.UUID
	settled  []uuid.UUID
	known    func(uuid.UUID) bool // which tasks Settle finds; nil is all
	policies []task.RetryPolicy
	kept     task.Retention
}

func (s *store) Unsent(_ context.Context, _ int, _, resendAfter time.Duration) ([]uuid.UUID, error) {
	s.resend = resendAfter
	ids := s.unsent
	s.unsent = nil
	return ids, nil
}

func (s *store) Rescue(_ context.Context, _ int, p task.RetryPolicy) ([]task.Rescued, error) {
	s.policies = append(s.policies, p)
	r := s.rescued
	s.rescued = nil
	return r, s.err
}

func (s *store) Settle(_ context.Context, id uuid.UUID, p task.RetryPolicy) ([]task.Rescued, error) {
	s.settled = append(s.settled, id)
	s.policies = append(s.policies, p)
	if s.known != nil && !s.known(id) {
		return nil, s.err
	}
	return []task.Rescued{{ID: id, Attempt: 1, Due: 5 * time.Second}}, s.err
}

func (s *store) Purge(_ context.Context, _ int, keep task.Retention) (int, error) {
	s.kept = keep
	n := s.purged
	s.purged = 0
	return n, nil
}

func (s *store) MarkEnqueued(_ context.Context, id uuid.UUID) error {
	s.marked = append(s.marked, id)
	return nil
}

type sent struct {
	ids     []uuid.UUID
	delays  []time.Duration
	err     error
	waiting int
	uncount error // of Waiting
}

func (q *sent) Waiting(context.Context) (int, error) { return q.waiting, q.uncount }

func (q *sent) Send(_ context.Context, id uuid.UUID, delay time.Duration) error {
	if q.err == nil {
		q.ids, q.delays = append(q.ids, id), append(q.delays, delay)
	}
	return q.err
}

func handle(t *testing.T, s *store, q *sent, event string) (any, error) {
	t.Helper()
	return sweeper.New(s, q, slog.New(slog.DiscardHandler), sweeper.Config{Batch: 2}).Handle(t.Context(), json.RawMessage(event))
}

func TestSweep(t *testing.T) {
	t.Parallel()
	s := &store{unsent: []uuid.UUID{id, uuid.Nil}, rescued: []task.Rescued{{ID: id}, {ID: uuid.Nil, Failed: true}}, purged: 2}
	q := &sent{}
	got, err := handle(t, s, q, `{"detail-type":"Scheduled Event"}`)
	if want := (sweeper.Swept{Sent: 3, Requeued: 1, Failed: 1, Purged: 2}); err != nil || got != want {
		t.Errorf("swept %+v, %v; want %+v", got, err, want)
	}
	if len(q.ids) != 3 || len(s.marked) != 3 {
		t.Errorf("sent %v, marked %v", q.ids, s.marked)
	}
	if len(s.policies) != 2 { // a full batch is followed by another
		t.Errorf("%d rounds of rescue, want 2", len(s.policies))
	}
	if s.kept.Ended != 30*24*time.Hour || s.kept.Cancelled != 24*time.Hour || s.policies[0].MaxAttempts != 3 {
		t.Errorf("kept %+v, policy %+v", s.kept, s.policies[0])
	}
}

// A rescued task is sent with the rescue, delayed until it is due, unless a later sweep comes before that.
func TestRescuedTasksAreSent(t *testing.T) {
	t.Parallel()
	late := uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8058")
	rescued := []task.Rescued{{ID: id, Due: 5 * time.Second}, {ID: late, Due: 61 * time.Second}, {ID: uuid.Nil, Failed: true}}
	for name, event := range map[string]string{"sweep": `{}`, "dead letter": `{"Records":[{"body":"{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}"}]}`} {
		s, q := &store{rescued: slices.Clone(rescued)}, &sent{}
		if _, err := handle(t, s, q, event); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(q.ids, []uuid.UUID{id}) || !slices.Equal(q.delays, []time.Duration{5 * time.Second}) || !slices.Equal(s.marked, q.ids) {
			t.Errorf("%s: sent %v after %v, marked %v; want %s after 5s alone", name, q.ids, q.delays, s.marked, id)
		}
	}
	down := &sent{err: errors.New("queue down")}
	s := &store{rescued: slices.Clone(rescued)}
	if _, err := handle(t, s, down, `{}`); !errors.Is(err, down.err) || len(s.marked) != 0 {
		t.Errorf("with the queue down: %v, marked %v", err, s.marked)
	}
}

// A pending task whose message is hidden is sent again, but not while others wait in the queue as it may do itself.
func TestHiddenMessages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		queue sent
		want  time.Duration
	}{
		"none waits":      {sent{}, 2 * time.Minute},
		"some wait":       {sent{waiting: 1}, 4 * 24 * time.Hour},
		"nobody can tell": {sent{uncount: errors.New("queue down")}, 4 * 24 * time.Hour},
	} {
		s := &store{}
		if _, err := handle(t, s, &c.queue, `{}`); err != nil || s.resend != c.want {
			t.Errorf("%s: sends tasks again after %s, %v; want %s", name, s.resend, err, c.want)
		}
	}
}

func TestPartsFailByThemselves(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	s := &store{unsent: []uuid.UUID{id}, purged: 1, err: away}
	q := &sent{err: errors.New("queue down")}
	var out bytes.Buffer
	got, err := sweeper.New(s, q, slog.New(slog.NewJSONHandler(&out, nil)), sweeper.Config{}).Handle(t.Context(), json.RawMessage(`{}`))
	if !errors.Is(err, away) || !errors.Is(err, q.err) || got.(sweeper.Swept).Purged != 1 {
		t.Errorf("swept %+v, %v", got, err)
	}
	if log := out.String(); !strings.Contains(log, `"ERROR"`) || !strings.Contains(log, "queue down") || !strings.Contains(log, `"purged":1`) {
		t.Errorf("the log lacks the error or the counts:\n%s", log)
	}
	if len(s.marked) != 0 {
		t.Error("a task that was not sent is marked")
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	const event = `{"Records":[{"messageId":"a","body":"{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}"},{"messageId":"b","body":"?"}]}`
	s := &store{}
	got, err := handle(t, s, &sent{}, event)
	if err != nil || len(got.(events.SQSEventResponse).BatchItemFailures) != 0 || len(s.settled) != 1 || s.settled[0] != id {
		t.Errorf("answer %+v, %v; settled %v", got, err, s.settled)
	}
	got, err = handle(t, &store{err: task.ErrUnavailable}, &sent{}, event)
	back := got.(events.SQSEventResponse).BatchItemFailures
	if err != nil || len(back) != 1 || back[0].ItemIdentifier != "a" {
		t.Errorf("answer %+v, %v; want a back", got, err)
	}
}

func TestDeadLettersAreCounted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := &store{known: func(got uuid.UUID) bool { return got == id }}
	const event = `{"Records":[{"body":"{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}"},{"body":"?"},
		{"body":"{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8058\"}"},{"body":"{}"}]}`
	_, err := sweeper.New(s, &sent{}, slog.New(slog.NewJSONHandler(&out, nil)), sweeper.Config{}).Handle(t.Context(), json.RawMessage(event))
	if err != nil {
		t.Fatal(err)
	}
	var line struct {
		Msg                                               string
		Requeued, Failed, Duplicates, Malformed, Returned int
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil || line.Msg != "dead letters handled" ||
		line.Requeued != 1 || line.Failed != 0 || line.Duplicates != 1 || line.Malformed != 2 || line.Returned != 0 {
		t.Errorf("the last line counts %+v, %v; want 1 requeued, 1 duplicate, 2 malformed:\n%s", line, err, &out)
	}
}
