package console

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/lambda"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// TestHostileFunction sends hostile output of a real function and of its client all the way to the terminal.
func TestHostileFunction(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "hostile")
	if out, err := exec.Command("go", "build", "-o", binary, "./testdata/hostile").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var out bytes.Buffer
	c := New(&out, Options{Format: true})
	c.terminal.color, c.terminal.live = true, true
	functions, err := lambda.New(lambda.Options{Logs: c.Log, Invoked: c.Invoked})
	if err != nil {
		t.Fatal(err)
	}
	if err := functions.Add(spec.Function{Name: "hostile", Timeout: time.Minute}, binary); err != nil {
		t.Fatal(err)
	}
	answer, err := functions.Invoke(t.Context(), "hostile", spec.Input{
		Payload: []byte(`{"httpMethod":"GET","path":"/\u001b[2J\u0007\u009b"}`), LogTail: true, // waits for the end of the log
	})
	if err != nil || answer.FunctionError == "" {
		t.Errorf("the invocation: %+v, %v", answer, err)
	}
	if err := functions.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	checkClean(t, out.String())
	for _, want := range []string{`\u001b`, `\u007f`, `\u009b`, `\x9b`, `GET /`, `failed: `} {
		if !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}
