package clickhouse_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/shared/logging/clickhouse"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }

// reports are a sink's log lines.
type reports struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func (r *reports) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
	return r.text.Write(p)
}

func (r *reports) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// await waits until a report contains text.
func (r *reports) await(t *testing.T, text string) {
	t.Helper()
	eventually(t, func() (bool, string) {
		return strings.Contains(r.String(), text), "reports lack " + text + ": " + r.String()
	})
}

// eventually polls until a condition holds.
func eventually(t *testing.T, holds func() (bool, string)) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for {
		ok, why := holds()
		if ok {
			return
		}
		select {
		case <-deadline:
			t.Fatal(why)
		case <-tick.C:
		}
	}
}

// opened is a sink of a test with the database that it writes to.
type opened struct {
	*clickhouse.Sink
	log      *slog.Logger
	database string
	db       *sql.DB
	reports  *reports
}

// open opens a sink to an address with a new table on the server.
func open(t *testing.T, s testserver.ClickHouse, address string, change func(*clickhouse.Config)) *opened {
	t.Helper()
	database := s.Logs(t)
	o := &opened{database: database, db: s.DB(t, database), reports: &reports{changed: make(chan struct{}, 1)}}
	cfg := clickhouse.Config{
		Address: address, Database: database, Function: "worker", Version: "1", Source: true,
		TryConnectionPeriod: 10 * time.Millisecond, BatchInterval: time.Hour,
		Log: slog.New(slog.NewTextHandler(o.reports, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	sink, err := clickhouse.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // tests flush lines that they want sent
		_ = sink.Close(ctx)
	})
	o.Sink, o.log = sink, slog.New(sink.Handler())
	return o
}

func (o *opened) flush(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := o.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// messages returns the stored messages in the order of their logging.
func (o *opened) messages(t *testing.T) []string {
	t.Helper()
	rows, err := o.db.Query("SELECT message FROM logs ORDER BY timestamp, nanosecond, batch, line")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// logs writes n numbered lines.
func (o *opened) logs(from, n int) {
	for i := range n {
		o.log.Info(fmt.Sprint("line ", from+i))
	}
}

// wantLines checks that exactly the numbered lines are stored, each once and in order.
func (o *opened) wantLines(t *testing.T, from, n int) {
	t.Helper()
	got := o.messages(t)
	for i, m := range got {
		if m != fmt.Sprint("line ", from+i) {
			t.Fatalf("message %d is %q", i, m)
		}
	}
	if len(got) != n {
		t.Fatalf("%d lines are stored, want %d", len(got), n)
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	o := open(t, server, server.Address, nil)
	at := time.Date(2026, 3, 29, 1, 59, 59, 123456789, time.FixedZone("", 3600))
	r := slog.NewRecord(at, slog.LevelWarn, `"quoted" ünï`, 0)
	r.AddAttrs(slog.String("request_id", "r1"), slog.String("trace_id", "1-a-b"), slog.String("task_id", "t1"),
		slog.Int("attempt", 2), slog.Duration("took", time.Second), slog.Any("error", errors.New("no\ngood")))
	h := o.Handler().WithAttrs([]slog.Attr{slog.String("task_id", "other"), slog.Bool("b", true)})
	if err := h.Handle(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	o.flush(t)
	var (
		seconds                                                                                uint32
		nanosecond, attempt, line                                                              uint32
		level, function, version, message, request, trace, task, source, attributes, batchName string
	)
	err := o.db.QueryRow("SELECT toUInt32(timestamp), nanosecond, level, function, version, message, request_id, trace_id, task_id, "+
		"attempt, source, attributes, batch, line FROM logs").Scan(&seconds, &nanosecond, &level, &function, &version, &message,
		&request, &trace, &task, &attempt, &source, &attributes, &batchName, &line)
	if err != nil {
		t.Fatal(err)
	}
	if int64(seconds) != at.Unix() || nanosecond != 123456789 {
		t.Errorf("time is %d.%d", seconds, nanosecond)
	}
	got := strings.Join([]string{level, function, version, message, request, trace, task, fmt.Sprint(attempt), source, attributes}, "|")
	want := `WARN|worker|1|"quoted" ünï|r1|1-a-b|t1|2||{"b":true,"took":1000000000,"error":"no\ngood"}`
	if got != want {
		t.Errorf("row %s\nwant %s", got, want)
	}
	var utc string
	if err := o.db.QueryRow("SELECT toString(timestamp) FROM logs").Scan(&utc); err != nil || utc != "2026-03-29 00:59:59" {
		t.Errorf("timestamp reads %q, %v", utc, err)
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	o := open(t, server, server.Address, nil)
	o.log.Info("here")
	o.flush(t)
	var source string
	if err := o.db.QueryRow("SELECT source FROM logs").Scan(&source); err != nil || !strings.HasPrefix(source, "clickhouse/sink_test.go:") {
		t.Errorf("source %q, %v", source, err)
	}
}

func TestBatchSizeSends(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	o := open(t, server, server.Address, func(c *clickhouse.Config) { c.BatchSize = 10 })
	o.logs(0, 10)
	eventually(t, func() (bool, string) { return len(o.messages(t)) == 10, "a full batch is not sent" })
}

func TestBatchIntervalSends(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	o := open(t, server, server.Address, func(c *clickhouse.Config) { c.BatchInterval = 20 * time.Millisecond })
	o.logs(0, 1)
	eventually(t, func() (bool, string) { return len(o.messages(t)) == 1, "a line that waited is not sent" })
	o.logs(1, 1)
	eventually(t, func() (bool, string) { return len(o.messages(t)) == 2, "a second line that waited is not sent" })
}

func TestManyWriters(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	o := open(t, server, server.Address, func(c *clickhouse.Config) { c.BatchSize = 50 })
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for i := range 500 {
				o.log.Info("m", "i", i)
			}
		})
	}
	writers.Wait()
	o.flush(t)
	if n := len(o.messages(t)); n != 4000 || o.Dropped() != 0 {
		t.Errorf("%d lines are stored, %d dropped", n, o.Dropped())
	}
}

func TestMonthsAreBatchesOfTheirOwn(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	o := open(t, server, server.Address, nil)
	end := time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC)
	for i := range 4 {
		if err := o.Handler().Handle(context.Background(), slog.NewRecord(end.Add(time.Duration(i/2)*time.Second), slog.LevelInfo, "m", 0)); err != nil {
			t.Fatal(err)
		}
	}
	o.flush(t)
	var batches, lines int
	if err := o.db.QueryRow("SELECT toInt64(uniq(batch)), toInt64(count()) FROM logs").Scan(&batches, &lines); err != nil || batches != 2 || lines != 4 {
		t.Errorf("%d lines in %d batches, %v", lines, batches, err)
	}
}

func TestNoAddress(t *testing.T) {
	t.Parallel()
	if _, err := clickhouse.Open(clickhouse.Config{}); err == nil || err.Error() != "open the ClickHouse sink: the address is empty" {
		t.Errorf("error %v", err)
	}
}

func TestAttributesAreJSON(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	o := open(t, server, server.Address, nil)
	o.log.With("b", 1).Info("m", "a", map[string]int{"x": 1})
	o.flush(t)
	var text string
	if err := o.db.QueryRow("SELECT attributes FROM logs").Scan(&text); err != nil || !json.Valid([]byte(text)) {
		t.Errorf("attributes %s, %v", text, err)
	}
}
