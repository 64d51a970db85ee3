package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/shared/config"
)

func TestRun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("storage: {migaret_src: 'file:///m'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run([]string{path}, strings.NewReader(""), &out); err != nil {
		t.Fatal(err)
	}
	var printed struct {
		Settings []config.Setting
		Warnings []string
	}
	if err := json.Unmarshal([]byte(out.String()), &printed); err != nil || len(printed.Warnings) != 1 {
		t.Fatalf("%v: %s", err, out.String())
	}
	for _, s := range printed.Settings {
		if s.Key == "storage.migrate_src" && s.Value == "file:///m" && s.Source == path+":1" {
			return
		}
	}
	t.Errorf("storage.migrate_src is not in %s", out.String())
}

// TestParameters are checked as the configuration is, together with it, and win over it.
func TestParameters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("job: {max_duration: 1m, failure_rate: 0.5}\nstorage: {port: x}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const wrong = `[{"key":"job.failure_rate","value":"7","source":"parameter JobFailureRate"},
		{"key":"storage.database_url","value":"geheim","source":"parameter DatabaseUrl"},
		{"key":"job.max_durations","value":"1m","source":"parameter Maximum"}]`
	err := run([]string{path}, strings.NewReader(wrong), io.Discard)
	want := path + `:2: storage.port is "x"; allowed are whole numbers from 1 to 65535
parameter JobFailureRate: job.failure_rate is "7"; allowed are numbers from 0 to 1
parameter DatabaseUrl: storage.database_url is [secret]; allowed are URLs that begin with postgres:// or postgresql://
parameter Maximum: job.max_durations is unknown; did you mean job.max_duration?`
	if err == nil || err.Error() != want {
		t.Errorf("%v; want %s", err, want)
	}
	if err := os.WriteFile(path, []byte("job: {min_duration: 1m, max_duration: 2m}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err = run([]string{path}, strings.NewReader(`[{"key":"job.max_duration","value":"2s","source":"parameter JobMaxDuration"}]`), io.Discard)
	want = `parameter JobMaxDuration: job.max_duration is "2s"; allowed are durations from job.min_duration (1m0s, ` + path + `:1)`
	if err == nil || err.Error() != want {
		t.Errorf("%v; want %s", err, want)
	}
	// Empty is the default, as the function has it, and not what the file says.
	var out strings.Builder
	if err := run([]string{path}, strings.NewReader(`[{"key":"job.max_duration","value":"","source":"parameter JobMaxDuration"}]`), &out); err != nil {
		t.Fatal(err)
	}
	if want := `"value":"5m0s","source":""`; !strings.Contains(out.String(), want) {
		t.Errorf("job.max_duration is not %s in %s", want, out.String())
	}
	if err := run(nil, strings.NewReader("7"), io.Discard); err == nil {
		t.Error("settings that are no list are taken")
	}
}
