package logging_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/logging/clickhouse"
	"github.com/eragon-mdi/ksu/shared/testserver"
	"github.com/eragon-mdi/ksu/shared/testserver/netfault"
)

// opened returns a log without output that ends with the benchmark.
func opened(b *testing.B, cfg logging.Config) *logging.Logger {
	b.Helper()
	cfg.Writer, cfg.Function, cfg.Version = io.Discard, "api", "v1"
	log, err := logging.Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = log.Close(ctx) // a benchmark may lose lines
	})
	return log
}

// BenchmarkLine measures one line with an invocation's context and two attributes: by slog's own JSON handler, which
// gets the context's attributes too; by this package to stdout; also to the ClickHouse buffer, with its server down;
// and below the level.
func BenchmarkLine(b *testing.B) {
	plain := slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{AddSource: true})).With("function", "api", "version", "v1")
	away := clickhouse.Config{Address: "127.0.0.1:1", TryConnectionPeriod: time.Hour, BatchInterval: time.Hour}
	ctx := logging.Task(invocation(), "01890a5d-ac96-774b-bcce-b302099a8057", 1)
	for _, c := range []struct {
		name string
		line func()
	}{
		{"slog-json", func() {
			plain.InfoContext(ctx, "task completed", "result", "io work result = 7", "n", 1, "request_id", "req-1",
				"trace_id", "1-67891233-abcdef012345678912345678", "task_id", "01890a5d-ac96-774b-bcce-b302099a8057", "attempt", 1)
		}},
		{"stdout", completed(ctx, opened(b, logging.Config{Source: true}), slog.LevelInfo)},
		{"stdout+clickhouse", completed(ctx, opened(b, logging.Config{Source: true, ClickHouse: away}), slog.LevelInfo)},
		{"disabled", completed(ctx, opened(b, logging.Config{Source: true, ClickHouse: away}), slog.LevelDebug)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.line()
			}
		})
	}
}

func completed(ctx context.Context, log *logging.Logger, level slog.Level) func() {
	return func() { log.Log(ctx, level, "task completed", "result", "io work result = 7", "n", 1) }
}

// BenchmarkDelivery measures how many lines reach ClickHouse in a second, by batch size.
func BenchmarkDelivery(b *testing.B) {
	server := testserver.SharedClickHouse(b)
	for _, size := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			log := opened(b, logging.Config{ClickHouse: clickhouse.Config{
				Address: server.Address, Database: server.Logs(b), BatchSize: size, BufferSize: 2 * size, BatchInterval: time.Hour,
			}})
			ctx := invocation()
			b.ResetTimer()
			for n := 0; n < b.N; n += size {
				for range min(size, b.N-n) {
					log.InfoContext(ctx, "task completed", "result", "io work result = 7", "n", n)
				}
				if err := log.Flush(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

// BenchmarkInvocation measures the log's share of an invocation that writes three lines: to stdout alone, and with
// ClickHouse healthy, hanging and gone.
func BenchmarkInvocation(b *testing.B) {
	server := testserver.SharedClickHouse(b)
	proxy := netfault.New(b, server.Address)
	proxy.Hang(true)
	for _, c := range []struct{ name, address string }{
		{"off", ""}, {"healthy", server.Address}, {"hanging", proxy.Address()}, {"gone", "127.0.0.1:1"},
	} {
		b.Run("clickhouse="+c.name, func(b *testing.B) {
			log := opened(b, logging.Config{ClickHouse: clickhouse.Config{Address: c.address, Database: server.Logs(b)}})
			handler := log.Wrap(func(ctx context.Context) error {
				for range 3 {
					log.InfoContext(ctx, "task completed", "result", "io work result = 7", "n", 1)
				}
				return nil
			})
			ctx := invocation()
			var took []time.Duration
			for b.Loop() {
				before := time.Now()
				if _, err := handler.Invoke(ctx, nil); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(before))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-µs")
		})
	}
}
