package logging_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/logging/clickhouse"
	"github.com/eragon-mdi/ksu/shared/testserver"
	"github.com/eragon-mdi/ksu/shared/testserver/netfault"
)

func TestMain(m *testing.M) { testserver.Main(m) }

// sending opens a log to a buffer and to a new table, through an address of the server.
func sending(t testing.TB, address string, budget time.Duration) (log *logging.Logger, out *bytes.Buffer, count func() int) {
	t.Helper()
	server := testserver.SharedClickHouse(t)
	database := server.Logs(t)
	log, out = open(t, func(c *logging.Config) {
		c.ClickHouse = clickhouse.Config{Address: address, Database: database, BatchInterval: time.Hour, TryConnectionPeriod: time.Hour}
		c.FlushTimeout = budget
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = log.Close(ctx)
	})
	db := server.DB(t, database)
	return log, out, func() int {
		var n int
		if err := db.QueryRow("SELECT toInt64(count()) FROM logs WHERE function = 'api' AND request_id = 'req-1' AND attributes = '{\"n\":1}'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
}

func TestInvocationsAreFlushed(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	log, out, count := sending(t, server.Address, time.Minute)
	handler := log.Wrap(func(ctx context.Context, in string) (string, error) {
		log.InfoContext(ctx, "m", "n", 1)
		return "<" + in + ">", nil
	})
	for i := 1; i <= 3; i++ {
		answer, err := handler.Invoke(invocation(), []byte(`"x"`))
		if err != nil || strings.TrimSpace(string(answer)) != `"<x>"` {
			t.Fatalf("answer %s, %v", answer, err)
		}
		if n := count(); n != i {
			t.Errorf("%d lines after %d invocations", n, i)
		}
	}
	if n := strings.Count(out.String(), `"msg":"m"`); n != 3 {
		t.Errorf("stdout has %d lines", n)
	}
}

func TestFailuresAndPanicsAreFlushed(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	log, _, count := sending(t, server.Address, time.Minute)
	failure := errors.New("failure")
	next := bare(func(ctx context.Context, in []byte) ([]byte, error) {
		log.InfoContext(ctx, "m", "n", 1)
		if string(in) == "panic" {
			panic("panic")
		}
		return nil, failure
	})
	if _, err := log.Wrap(next).Invoke(invocation(), nil); !errors.Is(err, failure) || count() != 1 {
		t.Errorf("error %v, %d lines", err, count())
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		_, _ = log.Wrap(next).Invoke(invocation(), []byte("panic"))
	}()
	if count() != 2 {
		t.Errorf("%d lines after a panic", count())
	}
}

// bare is a lambda.Handler.
type bare func(context.Context, []byte) ([]byte, error)

func (b bare) Invoke(ctx context.Context, in []byte) ([]byte, error) { return b(ctx, in) }

// TestHangDoesNotHoldUpInvocations checks that one invocation waits for the budget, and the others do not wait.
func TestHangDoesNotHoldUpInvocations(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	proxy := netfault.New(t, server.Address)
	proxy.Hang(true)
	const budget = 50 * time.Millisecond
	log, _, _ := sending(t, proxy.Address(), budget)
	handler := log.Wrap(func(ctx context.Context) error { log.InfoContext(ctx, "m", "n", 1); return nil })
	start := time.Now()
	for range 100 {
		if _, err := handler.Invoke(invocation(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took < budget || took > 60*budget {
		t.Errorf("100 invocations took %s", took)
	}
}

func TestWithoutClickHouse(t *testing.T) {
	t.Parallel()
	log, _ := open(t, nil)
	handler := log.Wrap(func() error { return nil })
	if _, err := handler.Invoke(context.Background(), nil); err != nil {
		t.Error(err)
	}
	if lambda.NewHandlerWithOptions(handler, lambda.WithSetEscapeHTML(true)) == handler {
		t.Error("the options of lambda.StartWithOptions are dropped")
	}
	if err := errors.Join(log.Flush(context.Background()), log.Close(context.Background())); err != nil {
		t.Error(err)
	}
}
