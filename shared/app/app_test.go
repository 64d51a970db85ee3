package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// childVariable turns the test binary into a function that cannot start.
const childVariable = "KSU_TEST_APP"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		Run("api", func(context.Context, *App) (any, error) { return nil, errors.New("no handler") })
		return
	}
	testserver.Main(m)
}

func TestStart(t *testing.T) { // not parallel: it sets variables
	path := filepath.Join(t.TempDir(), "ksu.db")
	testserver.SQLite(t, path)
	for variable, value := range map[string]string{
		"STORAGE_TYPE": "internal", "STORAGE_PATH": path, "TASK_QUEUE_URL": "http://127.0.0.1:1/queue",
		"AWS_REGION": "eu-west-1", "LOG_LEVEL": "error", "MAX_ATTEMPTS": "7",
	} {
		t.Setenv(variable, value)
	}
	var tasks task.Store
	handler, options, err := start(t.Context(), func(ctx context.Context, a *App) (any, error) {
		var err error
		if tasks, _, err = a.Open(ctx); err != nil {
			return nil, err
		}
		a.AtEnd(tasks.Close)
		return func(context.Context) (int, error) { return a.Config.Task.MaxAttempts, nil }, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tasks.Close)
	if answer, err := handler.Invoke(t.Context(), nil); err != nil || strings.TrimSpace(string(answer)) != "7" || len(options) != 1 {
		t.Errorf("the function answers %s, %v, with %d options; want 7, and one", answer, err, len(options))
	}
}

// TestCannotStart checks that the reason is one log line, and the exit status 1.
func TestCannotStart(t *testing.T) {
	t.Parallel()
	for variable, want := range map[string]string{
		"STORAGE_PORT=x":                      "storage.port is",
		config.FileVariable + "=no-such-file": "no such file",
		"PPROF_FD=x":                          "PPROF_FD is",
		"A=b":                                 "no handler",
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"=1", variable)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "function cannot start") ||
			!strings.Contains(string(out), "name=api") || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, %s; want status 1 and %s", variable, err, out, want)
		}
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	server := testserver.SharedClickHouse(t)
	database := server.Logs(t)
	for _, internal := range []string{"true", "false"} {
		cfg, err := config.Read(func(name string) string {
			return map[string]string{"CLICKHOUSE_ADDRESS": server.Address, "CLICKHOUSE_DATABASE": database,
				"LOGGER_OUTPUT_INTERNAL": internal, "LOGGER_LEVEL": "error", "CLICKHOUSE_BATCH_INTEVAL": "1h"}[name]
		})
		if err != nil {
			t.Fatal(err)
		}
		log, err := openLog(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if log.Enabled(t.Context(), slog.LevelWarn) {
			t.Error("warnings are logged at the level error")
		}
		log.Error("expected by a test", "output_internal", internal)
		if err := errors.Join(log.Flush(t.Context()), log.Close(t.Context())); err != nil {
			t.Error(err)
		}
	}
	var n int64
	if err := server.DB(t, database).QueryRow("SELECT toInt64(count()) FROM logs").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d lines are stored, %v; want 1", n, err)
	}
}
