package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const (
	// manyTasks is how many tasks wait.
	manyTasks = 10_000
	// fewTransactions and fewRows are a window's allowance above that of an empty queue: autovacuum's work, and the
	// first statements of new connections. A look at each task would be far above it.
	fewTransactions, fewRows = 100, 1000
)

// tellHeartbeats turns each heartbeat of a worker into a notification.
const tellHeartbeats = `
	CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('heartbeats', NEW.id::text); RETURN NULL; END $$;
	CREATE TRIGGER tell AFTER UPDATE OF lease_expires_at ON tasks FOR EACH ROW EXECUTE FUNCTION tell();`

// TestTenThousandTasksWait measures the cost of waiting tasks beside rows and messages: no query per task, and no
// process or goroutine. The workers are busy all the time.
func TestTenThousandTasksWait(t *testing.T) {
	t.Parallel()
	database := postgresURL(t)
	template := changedTemplate(t, t.TempDir(), "rate(1 minute)", "rate(1 hour)") // the test itself sweeps
	s := launch(t, t.TempDir(), "--pprof", "--stack-name", "ksu", "--template", template,
		"--parameter-overrides", `Semaphore=2 JobMinDuration=4m JobMaxDuration=5m DatabaseUrl="`+database+`"`)
	s.untilReady()
	s.untilSwept()
	execute(t, database, tellHeartbeats)
	first := s.submit()
	s.submit()
	s.until("both to run", 20*time.Second, func() bool { return s.count("running") == 2 })
	w := watch(t, s, database)

	before := w.window()
	ids := w.addWaiting()
	after := w.window()

	if after.transactions > before.transactions+fewTransactions {
		t.Errorf("%d transactions while %d tasks wait, and %d while none does", after.transactions, manyTasks, before.transactions)
	}
	if after.rows > before.rows+fewRows {
		t.Errorf("%d rows read while %d tasks wait, and %d while none does", after.rows, manyTasks, before.rows)
	}
	if !maps.Equal(before.processes, after.processes) {
		t.Errorf("the processes are %v, and were %v", after.processes, before.processes)
	}
	if strings.Contains(s.output(), `"msg":"permits sent"`) {
		t.Error("the sweeper sent permits beside those that wait")
	}
	w.wantMessages(manyTasks, 2)
	for address, n := range before.goroutines {
		s.until(fmt.Sprintf("the goroutines of %s to be about %d", address, n), 20*time.Second, func() bool {
			return s.goroutines(address) <= n+comeAndGo
		})
	}

	// The task that has waited longest is next.
	if r := s.do("DELETE", "/task/"+first, ""); r.status != http.StatusNoContent {
		t.Fatalf("delete a running task: %d %s", r.status, r.body)
	}
	s.until("the next task to run", 20*time.Second, func() bool { return s.status(ids[0].String()) == "in process" })
	w.wantMessages(manyTasks, 2) // the slot was refilled without a permit
}

// watcher observes a stack and its database from outside.
type watcher struct {
	*running
	conn      *pgx.Conn // listens to heartbeats
	queues    *sqs.Client
	transport *http.Transport
}

// cost is what happened in a window.
type cost struct {
	transactions, rows int64
	processes          map[string]int // by command
	goroutines         map[string]int // by the address of the profiles
}

func watch(t *testing.T, s *running, database string) *watcher {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(t.Context(), "LISTEN heartbeats"); err != nil {
		t.Fatal(err)
	}
	w := &watcher{running: s, conn: conn, transport: &http.Transport{}}
	t.Cleanup(w.transport.CloseIdleConnections)
	w.queues = sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: &s.aws, HTTPClient: &http.Client{Transport: w.transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
	})
	return w
}

// window measures the cost of some heartbeats and sweeps.
func (w *watcher) window() cost {
	w.t.Helper()
	w.sweep() // starts its environment
	transactions, rows := w.database()
	w.forget()
	w.heartbeats(2)
	w.sweep()
	w.heartbeats(2)
	w.sweep() // the server counts a session's work at its next work, at least a second later
	moreTransactions, moreRows := w.database()
	c := cost{moreTransactions - transactions, moreRows - rows, map[string]int{}, map[string]int{}}
	for _, p := range family(w.t, w.cmd.Process.Pid) {
		c.processes[p.command]++
	}
	for _, addresses := range w.profiles() {
		for _, address := range addresses {
			c.goroutines[address] = w.goroutines(address)
		}
	}
	return c
}

// forget drops the heartbeats that the connection has already received.
func (w *watcher) forget() {
	past, cancel := context.WithCancel(w.t.Context())
	cancel()
	for {
		if _, err := w.conn.WaitForNotification(past); err != nil {
			return
		}
	}
}

// heartbeats waits for n heartbeats.
func (w *watcher) heartbeats(n int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	for range n {
		if _, err := w.conn.WaitForNotification(ctx); err != nil {
			w.t.Fatalf("wait for a heartbeat: %v", err)
		}
	}
}

// database returns the number of transactions so far, and of rows of tasks that they read.
func (w *watcher) database() (transactions, rows int64) {
	w.t.Helper()
	err := w.conn.QueryRow(w.t.Context(), `
		SELECT xact_commit + xact_rollback, (SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'tasks')
		FROM pg_stat_database WHERE datname = current_database()`).Scan(&transactions, &rows)
	if err != nil {
		w.t.Fatal(err)
	}
	return transactions, rows
}

// addWaiting adds tasks as the API does, but faster: rows, and a permit for each. The rows say that they have waited
// for an hour.
func (w *watcher) addWaiting() []uuid.UUID {
	w.t.Helper()
	ids := make([]uuid.UUID, manyTasks)
	for i := range ids {
		ids[i] = uuid.Must(uuid.NewV7())
	}
	columns := []string{"id", "created_at"}
	then := time.Now().Add(-time.Hour)
	n, err := w.conn.CopyFrom(w.t.Context(), pgx.Identifier{"tasks"}, columns, pgx.CopyFromSlice(len(ids), func(i int) ([]any, error) {
		return []any{[16]byte(ids[i]), then}, nil
	}))
	if err != nil || n != manyTasks {
		w.t.Fatalf("add rows: %d, %v", n, err)
	}
	if _, err := w.conn.Exec(w.t.Context(), "ANALYZE tasks"); err != nil { // as autovacuum does within a minute
		w.t.Fatal(err)
	}
	for batch := range slices.Chunk(ids, 10) {
		in := &sqs.SendMessageBatchInput{QueueUrl: w.queueURL()}
		for _, id := range batch {
			in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{
				Id: aws.String(id.String()), MessageBody: aws.String(`{"id":"` + id.String() + `"}`),
			})
		}
		if out, err := w.queues.SendMessageBatch(w.t.Context(), in); err != nil || len(out.Failed) != 0 {
			w.t.Fatalf("send messages: %+v, %v", out, err)
		}
	}
	w.transport.CloseIdleConnections()
	return ids
}

func (w *watcher) queueURL() *string {
	return aws.String(w.aws + "/000000000000/ksu-TaskQueue")
}

// wantMessages checks the queue's counts.
func (w *watcher) wantMessages(waiting, received int) {
	w.t.Helper()
	out, err := w.queues.GetQueueAttributes(w.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: w.queueURL(), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for name, want := range map[types.QueueAttributeName]int{
		types.QueueAttributeNameApproximateNumberOfMessages:           waiting,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible: received,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed:    0,
	} {
		if got := out.Attributes[string(name)]; got != fmt.Sprint(want) {
			w.t.Errorf("%s is %s, want %d", name, got, want)
		}
	}
}
