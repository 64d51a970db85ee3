package clickhouse_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/shared/logging/clickhouse"
	"github.com/eragon-mdi/ksu/shared/testserver"
	"github.com/eragon-mdi/ksu/shared/testserver/netfault"
)

// insertEnd reports whether an answer of the server confirms an insert: that is a single byte.
func insertEnd(answer []byte) bool { return len(answer) == 1 }

// TestAnswerLost cuts the connection after the server has stored a batch and before it confirms it.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	proxy := netfault.New(t, server.Address)
	o := open(t, server, proxy.Address(), nil)
	o.logs(0, 5)
	o.flush(t) // connected
	o.logs(5, 5)
	proxy.Mute(insertEnd)
	flushed := make(chan error)
	go func() { flushed <- o.Flush(context.Background()) }()
	eventually(t, func() (bool, string) { return len(o.messages(t)) == 10, "the server did not take the batch" })
	proxy.Mute(nil)
	proxy.Cut()
	if err := <-flushed; !errors.Is(err, clickhouse.ErrAway) {
		t.Errorf("flush: %v", err)
	}
	eventually(t, func() (bool, string) { return o.Flush(context.Background()) == nil, "the sink does not recover" })
	o.wantLines(t, 0, 10)
}

func TestConnectionCut(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	proxy := netfault.New(t, server.Address)
	o := open(t, server, proxy.Address(), nil)
	for i := range 5 {
		o.logs(10*i, 10)
		eventually(t, func() (bool, string) { return o.Flush(context.Background()) == nil, "the sink does not recover" })
		proxy.Cut()
	}
	o.wantLines(t, 0, 50)
}

func TestServerRestarts(t *testing.T) {
	t.Parallel()
	own := testserver.NewClickHouse(t)
	o := open(t, own, own.Address, func(c *clickhouse.Config) { c.BatchSize, c.ConnectionAttempts = 10, 2 })
	stop := make(chan struct{})
	var writer sync.WaitGroup
	n := 0
	writer.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for ; ; n++ {
			o.logs(n, 1)
			select {
			case <-tick.C:
			case <-stop:
				n++
				return
			}
		}
	})
	eventually(t, func() (bool, string) { return len(o.messages(t)) > 50, "nothing is stored" })
	own.Stop(t)
	o.reports.await(t, "log lines not sent to ClickHouse")
	own.Start(t)
	o.reports.await(t, "ClickHouse accepts log lines again")
	close(stop)
	writer.Wait()
	eventually(t, func() (bool, string) { return o.Flush(context.Background()) == nil, "the sink does not recover" })
	if o.Dropped() != 0 {
		t.Errorf("%d lines were dropped", o.Dropped())
	}
	o.wantLines(t, 0, n)
}

// TestAbsentServer checks that nobody waits for an absent server, that memory is bounded, and that the loss is
// reported.
func TestAbsentServer(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	o := open(t, server, address, func(c *clickhouse.Config) { c.BufferSize, c.BatchSize, c.ConnectionAttempts = 100, 100, 3 })
	o.Start()
	o.logs(0, 1000)
	o.reports.await(t, "log lines not sent to ClickHouse")
	o.reports.await(t, "attempts=3")
	o.logs(1000, 1000)
	o.reports.await(t, "log lines dropped before ClickHouse")
	if d := o.Dropped(); d < 1800-100 || d > 1900 {
		t.Errorf("%d lines were dropped", d)
	}
	if err := o.Flush(context.Background()); !errors.Is(err, clickhouse.ErrAway) {
		t.Errorf("flush: %v", err)
	}
	if err := o.Close(context.Background()); !errors.Is(err, clickhouse.ErrAway) {
		t.Errorf("close: %v", err)
	}
	o.reports.await(t, "log lines lost at the end of the process")
	if err := o.Close(context.Background()); err != nil {
		t.Errorf("second close: %v", err)
	}
	o.logs(0, 10) // ignored
}

func TestHangingServer(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	proxy := netfault.New(t, server.Address)
	o := open(t, server, proxy.Address(), func(c *clickhouse.Config) { c.TryConnectionPeriod = time.Hour })
	o.logs(0, 3)
	o.flush(t)
	proxy.Hang(true)
	o.logs(3, 3)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := o.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("first flush: %v", err)
	}
	if err := o.Flush(context.Background()); !errors.Is(err, clickhouse.ErrAway) { // at once, although ctx has no deadline
		t.Errorf("second flush: %v", err)
	}
	proxy.Hang(false) // the attempt is still in progress
	eventually(t, func() (bool, string) { return len(o.messages(t)) == 6, "delivery does not resume" })
	o.logs(6, 1)
	eventually(t, func() (bool, string) { return o.Flush(context.Background()) == nil, "the sink does not recover" })
	o.wantLines(t, 0, 7)
}

// TestHangCostsEverLess counts the flushes that wait for a hanging server: the pauses between them double.
func TestHangCostsEverLess(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	proxy := netfault.New(t, server.Address)
	proxy.Hang(true)
	o := open(t, server, proxy.Address(), nil) // the first pause is 10 ms
	o.logs(0, 1)
	const pauses = 10 + 20 + 40 + 80 + 160 // ms between six waiting flushes; 50 in all without doubling
	start, waited := time.Now(), 0
	eventually(t, func() (bool, string) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		defer cancel()
		if err := o.Flush(ctx); errors.Is(err, context.DeadlineExceeded) {
			waited++
		}
		return waited == 6, "no flush waits for a server that hangs"
	})
	if took := time.Since(start); took < pauses*time.Millisecond {
		t.Errorf("6 flushes waited for a server that hangs within %s; want the pauses between them to double", took)
	}
	proxy.Hang(false)
	eventually(t, func() (bool, string) { return o.Flush(context.Background()) == nil, "the sink does not recover" })
	o.wantLines(t, 0, 1)
}

// TestCloseInterruptsAHang checks that a function's end does not wait for a hanging server.
func TestCloseInterruptsAHang(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	proxy := netfault.New(t, server.Address)
	proxy.Hang(true)
	o := open(t, server, proxy.Address(), nil)
	o.logs(0, 3)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := o.Close(ctx); err == nil {
		t.Error("close: no error")
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("close took %s", took)
	}
}

func TestWrongSchema(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	for name, wrong := range map[string][]string{
		"no table":  {"DROP TABLE logs"},
		"no column": {"ALTER TABLE logs DROP COLUMN source"},
		"type":      {"DROP TABLE logs", "CREATE TABLE logs (timestamp DateTime, nanosecond UInt32, level UInt32, function String, version String, message String, request_id String, trace_id String, task_id String, attempt UInt32, source String, attributes String, batch String, line UInt32) ENGINE = Memory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t, server, server.Address, nil)
			for _, statement := range wrong {
				if _, err := o.db.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			o.logs(0, 3)
			if err := o.Flush(context.Background()); !errors.Is(err, clickhouse.ErrAway) {
				t.Errorf("flush: %v", err)
			}
			o.reports.await(t, "log lines not sent to ClickHouse")
			o.logs(3, 3)
			if _, err := o.db.Exec("DROP TABLE IF EXISTS logs"); err != nil {
				t.Fatal(err)
			}
			server.MigrateLogs(t, o.database)
			o.reports.await(t, "ClickHouse accepts log lines again")
			eventually(t, func() (bool, string) { return o.Flush(context.Background()) == nil, "the sink does not recover" })
			o.wantLines(t, 0, 6)
			if n := strings.Count(o.reports.String(), "not sent"); n != 1 {
				t.Errorf("%d reports of one failure", n)
			}
		})
	}
}

func TestWrongPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	o := open(t, server, server.Address, func(c *clickhouse.Config) { c.Password, c.ConnectionAttempts = "geheim", 1 })
	o.logs(0, 1)
	if err := o.Flush(context.Background()); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("flush: %v", err)
	}
	o.reports.await(t, "not sent")
	if strings.Contains(o.reports.String(), "geheim") {
		t.Errorf("reports show the password: %s", o.reports)
	}
}
