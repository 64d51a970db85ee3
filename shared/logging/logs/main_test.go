package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/logging/clickhouse"
	"github.com/eragon-mdi/ksu/shared/testserver"
	"github.com/eragon-mdi/ksu/shared/testserver/netfault"
)

// setup starts a server. It returns the environment that names its database, and a function that opens a log into it.
func setup(t *testing.T) (env func(string) string, open func(function string) *logging.Logger) {
	t.Helper()
	server := testserver.NewClickHouse(t)
	database := server.Logs(t)
	variables := map[string]string{"CLICKHOUSE_ADDRESS": server.Address, "CLICKHOUSE_DATABASE": database}
	return func(name string) string { return variables[name] }, func(function string) *logging.Logger {
		return openLog(t, function, clickhouse.Config{Address: server.Address, Database: database})
	}
}

func openLog(t *testing.T, function string, c clickhouse.Config) *logging.Logger {
	t.Helper()
	log, err := logging.Open(logging.Config{Writer: io.Discard, Function: function, ClickHouse: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close(context.Background()) })
	return log
}

// untimed returns the output without the times at the beginning of lines.
func untimed(out string) string {
	return regexp.MustCompile(`(?m)^\{"time":"[0-9T:.-]+Z",`).ReplaceAllString(out, "{")
}

func TestStoryOfATask(t *testing.T) {
	t.Parallel()
	env, open := setup(t)
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	api, worker := open("ksu-Api"), open("ksu-Worker")
	ctx := t.Context()
	api.InfoContext(ctx, "task submitted", "task_id", id)
	worker.WarnContext(logging.Task(ctx, id.String(), 1), "task failed", "error", fmt.Errorf("claim task: %w", io.ErrUnexpectedEOF), "n", 7, slog.Group("g", "k", "v"))
	api.InfoContext(logging.Task(ctx, uuid.NewString(), 0), "another task")
	api.InfoContext(logging.Task(ctx, id.String(), 0), "task deleted")
	for _, log := range []*logging.Logger{worker, api} { // the later lines arrive first
		if err := log.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := run(ctx, []string{"-task", id.String()}, env, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`{"level":"INFO","function":"ksu-Api","msg":"task submitted","task_id":"ID"}
{"level":"WARN","function":"ksu-Worker","msg":"task failed","task_id":"ID","attempt":1,"error":["claim task","unexpected EOF"],"n":7,"g":{"k":"v"}}
{"level":"INFO","function":"ksu-Api","msg":"task deleted","task_id":"ID"}
`, "ID", id.String())
	if got := untimed(out.String()); got != want {
		t.Errorf("the story is\n%swant\n%s", got, want)
	}
	err = run(ctx, []string{"-task", "01890a5d-ac96-774b-bcce-b302099a8057"}, env, &out, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "no lines of task 01890a5d") {
		t.Errorf("an unknown task: %v", err)
	}
}

// api returns lines of the function api.
func api(messages ...string) string {
	var b strings.Builder
	for _, message := range messages {
		fmt.Fprintf(&b, `{"level":"INFO","function":"api","msg":%q}`+"\n", message)
	}
	return b.String()
}

// writer signals each write.
type writer struct {
	mu    sync.Mutex
	lines []string
	wrote chan struct{}
}

func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.lines = append(w.lines, string(p))
	w.mu.Unlock()
	w.wrote <- struct{}{}
	return len(p), nil
}

// await waits for the next line.
func (w *writer) await(t *testing.T, what string) {
	t.Helper()
	select {
	case <-w.wrote:
	case <-time.After(time.Minute):
		t.Fatalf("no line %q", what)
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	env, open := setup(t)
	log := open("api")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &writer{wrote: make(chan struct{}, 10)}
	var following sync.WaitGroup
	following.Go(func() {
		if err := run(ctx, nil, env, out, io.Discard); ctx.Err() == nil {
			t.Error(err)
		}
	})
	for _, message := range []string{"one", "two"} {
		log.Info(message)
		if err := log.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		out.await(t, message)
	}
	stop()
	following.Wait()
	if got := untimed(strings.Join(out.lines, "")); got != api("one", "two") {
		t.Errorf("followed %q", got)
	}
}

// TestFollowThroughARestart stops the server, as the end of a local stack does, and restarts it at another address.
// Lines that were logged meanwhile must appear too.
func TestFollowThroughARestart(t *testing.T) {
	t.Parallel()
	server := testserver.NewClickHouse(t)
	database, path := server.Logs(t), filepath.Join(t.TempDir(), "clickhouse.url")
	log := openLog(t, "api", clickhouse.Config{Address: server.Address, Database: database})
	say := func(message string) {
		log.Info(message)
		if err := log.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	serve := func() *netfault.Proxy {
		proxy := netfault.New(t, server.Address)
		if err := os.WriteFile(path, []byte("clickhouse://default:@"+proxy.Address()+"/"+database), 0o600); err != nil {
			t.Fatal(err)
		}
		return proxy
	}
	proxy := serve()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, notes := &writer{wrote: make(chan struct{}, 10)}, &writer{wrote: make(chan struct{}, 10)}
	var following sync.WaitGroup
	following.Go(func() {
		none := func(string) string { return "" }
		if err := run(ctx, []string{"-data", filepath.Dir(path)}, none, out, notes); ctx.Err() == nil {
			t.Error(err)
		}
	})
	say("before")
	out.await(t, "before")
	proxy.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	notes.await(t, "waiting")
	say("meanwhile")
	serve()
	notes.await(t, "back")
	out.await(t, "meanwhile")
	stop()
	following.Wait()
	if got := untimed(strings.Join(out.lines, "")); got != api("before", "meanwhile") {
		t.Errorf("followed %q", got)
	}
	if len(notes.lines) != 2 || !strings.HasPrefix(notes.lines[0], "logs: waiting for ClickHouse to come back: ") || notes.lines[1] != "logs: ClickHouse is back\n" {
		t.Errorf("said %q", notes.lines)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, "clickhouse.url"), []byte("clickhouse://u:secret@h:x/"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"make run CLICKHOUSE=auto":    {"-data", t.TempDir()},
		"is not a URL of ClickHouse":  {"-data", bad},
		`task is "7"; it must be`:     {"-task", "7"},
		`unknown argument "x"`:        {"x"},
		"flag provided but not defin": {"-y"},
	} {
		if err := run(t.Context(), args, none, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("logs %v: %v; want %q in it, and no password", args, err, want)
		}
	}
}
