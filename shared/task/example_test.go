package task_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/shared/store/sqlite"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }

// permits is a task.Queue in memory.
type permits []task.Permit

func (p *permits) Send(_ context.Context, sent ...task.Permit) error {
	*p = append(*p, sent...)
	return nil
}

// A client submits a task, a worker claims and completes it, and the client asks for the result.
func ExampleService() {
	ctx := context.Background()
	path, remove, err := testserver.TemporarySQLite()
	if err != nil {
		log.Fatal(err)
	}
	defer remove()
	store, err := sqlite.Open(ctx, path)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	var queue permits
	service := task.NewService(store, &queue, slog.New(slog.DiscardHandler))

	submitted, err := service.Submit(ctx, task.Submission{Type: "words", Payload: json.RawMessage(`{"text":"a b"}`)}, task.Key{})
	fmt.Println(submitted.Status.Label(), err)
	fmt.Println("permits sent:", len(queue))
	_, err = service.Result(ctx, submitted.ID)
	fmt.Println("no result yet:", errors.Is(err, task.ErrNoResult))

	claimed, err := store.Claim(ctx, task.ClaimRules{Lease: time.Minute})
	fmt.Println("claimed:", claimed.ID == submitted.ID, string(claimed.Payload), err)
	fmt.Println(store.Complete(ctx, claimed.ID, claimed.Attempt, json.RawMessage(`{"words":2}`), nil))

	completed, err := service.Result(ctx, submitted.ID)
	fmt.Println(completed.Status.Label(), string(completed.Result), err)
	_, err = service.Retry(ctx, submitted.ID)
	fmt.Println("only a failed task can be retried:", errors.Is(err, task.ErrNotFailed))
	// Output:
	// created, but waiting to start <nil>
	// permits sent: 1
	// no result yet: true
	// claimed: true {"text":"a b"} <nil>
	// <nil>
	// completed {"words":2} <nil>
	// only a failed task can be retried: true
}
