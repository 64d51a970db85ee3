// Package testserver gives every test a database with this build's schema. The program migrate/schematest owns the
// servers, since shared does not import migrate. This package starts it at a test binary's first call; it ends with the
// test binary. If TEST_DATABASE_URL names a Postgres, it replaces the private one.
package testserver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// Main runs a package's tests, ends the servers and checks for leaked goroutines. It is the body of a package's TestMain.
func Main(m *testing.M, options ...goleak.Option) {
	goleak.VerifyTestMain(runner{m}, options...)
}

type runner struct{ m *testing.M }

func (r runner) Run() int {
	code := r.m.Run()
	if err := Stop(); err != nil {
		fmt.Println("testserver:", err)
		return max(code, 1)
	}
	return code
}

// program is the schematest of a test binary.
var program struct {
	start  sync.Once
	err    error
	cmd    *exec.Cmd
	client *rpc.Client // nil until the first call
}

// Stop ends the servers if there are any. It is for a TestMain that does more than Main. No test may follow.
func Stop() error {
	if program.client == nil {
		return nil
	}
	// This closes schematest's stdin. Then schematest ends, and closes its stdout.
	if err := errors.Join(program.client.Close(), program.cmd.Wait()); err != nil {
		return fmt.Errorf("end the test servers: %w", err)
	}
	return nil
}

// call calls a method of schematest.
func call[Answer any](method string, argument any) (answer Answer, err error) {
	program.start.Do(func() { program.err = start() })
	if program.err != nil {
		return answer, fmt.Errorf("start the test servers: %w", program.err)
	}
	err = program.client.Call(method, argument, &answer)
	return answer, err
}

// must is call for a test; an error fails the test.
func must[Answer any](t testing.TB, method string, argument any) Answer {
	t.Helper()
	answer, err := call[Answer](method, argument)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return answer
}

// start starts schematest by `go run`, which keeps the built program in Go's cache.
func start() error {
	root, err := checkout()
	if err != nil {
		return err
	}
	if err := readMigrations(root); err != nil {
		return err
	}
	cmd := exec.Command("go", "run", "./migrate/schematest")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	cmd.Env = append(os.Environ(), "TEST_DATABASE_URL="+os.Getenv("TEST_DATABASE_URL"))
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	program.cmd, program.client = cmd, jsonrpc.NewClient(pipes{in, out})
	return nil
}

// pipes is the connection to schematest. Close ends the sending side; the receiving side ends with schematest.
type pipes struct {
	io.WriteCloser
	io.Reader
}

// checkout returns the folder with go.mod, above a test's folder.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("the tests run outside the checkout, where go run does not find migrate/schematest")
		}
	}
}

// readMigrations opens the source files of schematest. `go test` reuses a result while the files that the test binary
// opened are unchanged, and does not see the files that schematest reads.
func readMigrations(root string) error {
	return filepath.WalkDir(filepath.Join(root, "migrate"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		return file.Close()
	})
}
