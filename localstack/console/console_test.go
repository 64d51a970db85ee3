package console

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// now is the time of lines that do not have one.
func now() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local) }

// formatting returns a Console that formats, and its output.
func formatting(o Options) (*Console, *bytes.Buffer) {
	var out bytes.Buffer
	o.Format, o.Now = true, now
	return New(&out, o), &out
}

func TestLogFormats(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 6, 7, 8, 9, 678e6, time.UTC)
	stamp, clock := at.Format(time.RFC3339Nano), at.Local().Format(time.TimeOnly)
	for line, want := range map[string]string{
		// slog
		`{"time":"` + stamp + `","level":"INFO","source":"a/b.go:7","msg":"hello","function":"f","version":"1","n":1,"text":"two words","request_id":"r"}`: clock + ` Api     hello n=1 text="two words"`,
		// Lambda's own
		`{"timestamp":"` + stamp + `","level":"ERROR","requestId":"r","message":"Lambda's form","ids":["a","b"],"o":{"k":null}}`: clock + ` Api     ERROR Lambda's form ids=["a","b"] o={"k":null}`,
		// zap, pino
		`{"level":"warn","ts":` + "1778051289.678" + `,"caller":"x.go:1","msg":"zap"}`: clock + ` Api     WARN zap`,
		`{"level":50,"time":1778051289678,"pid":7,"msg":"pino"}`:                       clock + ` Api     ERROR pino pid=7`,
		// the layers of an error
		`{"level":"WARN","msg":"m","error":["open file","connection refused"]}`: `03:04:05 Api     WARN m error="open file: connection refused"`,
		`{"msg":"m","json":"\"a b\"","half":"\"a"}`:                             `03:04:05 Api     m json="a b" half="\"a"`,
		`{"level":"INFO+2","msg":"m"}`:                                          `03:04:05 Api     INFO+2 m`,
		`{"severity":"critical","message":"m","e":""}`:                          `03:04:05 Api     CRITICAL m e=""`,
		`{"time":"then","level":"WARN","msg":"no more"}`:                        `then     Api     WARN no more`,
		`{"level":"INFO","n":1}`:                                                `03:04:05 Api      n=1`,
		`{"msg":"two\nlines","v":"two\nlines"}`:                                 `03:04:05 Api     two\nlines v="two\nlines"`,
		`{"n":1}`:                                                               `03:04:05 Api     {"n":1}`,
		`{"level":"INFO","msg":"cut`:                                            `03:04:05 Api     {"level":"INFO","msg":"cut`,
		`hello`:                                                                 `03:04:05 Api     hello`,
		``:                                                                      `03:04:05 Api`,
		// hidden
		`START RequestId: 7 Version: $LATEST`:              ``,
		`END RequestId: 7`:                                 ``,
		"REPORT RequestId: 7\tDuration: 1.00 ms":           ``,
		`{"level":"DEBUG","msg":"m"}`:                      ``,
		`{"_aws":{"CloudWatchMetrics":[]},"Things":1}`:     ``,
		`INIT_REPORT Init Duration: 1.00 ms	Status: error`: `03:04:05 Api     INIT_REPORT Init Duration: 1.00 ms	Status: error`,
	} {
		c, out := formatting(Options{})
		c.Log("Api", []byte(line))
		if want != "" {
			want += "\n"
		}
		if out.String() != want {
			t.Errorf("%s becomes\n%swant\n%s", line, out, want)
		}
	}
}

func TestLogInDetail(t *testing.T) {
	t.Parallel()
	c, out := formatting(Options{Level: slog.LevelDebug})
	c.Log("Api", []byte("START RequestId: 7 Version: $LATEST"))
	c.Log("Api", []byte(`{"level":"DEBUG","msg":"m","request_id":"r","version":"v"}`))
	c.Log("Api", []byte(`{"_aws":{},"Things":1}`))
	const want = "03:04:05 Api     START RequestId: 7 Version: $LATEST\n03:04:05 Api     DEBUG m request_id=r version=v\n03:04:05 Api      Things=1\n"
	if out.String() != want {
		t.Errorf("in detail\n%swant\n%s", out, want)
	}
}

func TestLogAboveALevel(t *testing.T) {
	t.Parallel()
	c, out := formatting(Options{Level: slog.LevelWarn, Hide: []string{"n"}})
	c.Log("Api", []byte(`{"level":"INFO","msg":"m"}`))
	c.Log("Api", []byte(`{"level":"ERROR","msg":"m","n":1,"o":2}`))
	if want := "03:04:05 Api     ERROR m o=2\n"; out.String() != want {
		t.Errorf("%q, want %q", out, want)
	}
}

// TestPlainLines checks that lines outside a terminal stay as the functions wrote them.
func TestPlainLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := New(&out, Options{Now: now})
	c.Step("stack", "one\ntwo")
	c.Log("a-long-function", []byte(`{"level":"DEBUG","msg":"m","request_id":"r"}`))
	c.Log("f", []byte("START RequestId: 7 "))
	c.Invoked("f", []byte(`{"httpMethod":"GET","path":"/"}`), []byte(`{"statusCode":200}`), false, time.Second)
	c.Print("\nas it is\n")
	const want = `stack      │ one
stack      │ two
a-long-function │ {"level":"DEBUG","msg":"m","request_id":"r"}
f               │ START RequestId: 7 

as it is
`
	if out.String() != want {
		t.Errorf("\n%s\nwant\n%s", out.String(), want)
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]slog.Level{"": slog.LevelInfo, "DEBUG": slog.LevelDebug, "warning": slog.LevelWarn, "error": slog.LevelError} {
		if got, err := Level(text); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	if _, err := Level("loud"); err == nil || !strings.Contains(err.Error(), `LOG_LEVEL is "loud"; allowed are`) {
		t.Errorf("an unknown level: %v", err)
	}
}
