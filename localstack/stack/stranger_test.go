package stack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// foreign matches words of this repository's application, which a stranger's output must not have.
var foreign = regexp.MustCompile(`(?i)\bksu\b|\btasks?\b|\bmake\b|\bstorage\b|\bsemaphore\b|database_?url|[A-Z_]+=…`)

// project is a stranger's project outside this checkout, with a built local stack.
type project struct {
	t           *testing.T
	dir, binary string
}

// setupProject copies a project of testdata.
func setupProject(t *testing.T, name string) *project {
	t.Helper()
	root := t.TempDir()
	p := &project{t: t, dir: filepath.Join(root, name), binary: filepath.Join(root, "localstack")}
	if err := os.CopyFS(p.dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", p.binary, "..").CombinedOutput(); err != nil {
		t.Fatalf("build the local stack: %v\n%s", err, out)
	}
	return p
}

// output is what a process has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs the local stack in the project's folder until the test ends.
func (p *project) start(arguments ...string) *output {
	p.t.Helper()
	out := &output{}
	cmd := exec.Command(p.binary, append([]string{"--port", "0", "--aws-port", "0"}, arguments...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, out, out
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			p.t.Errorf("the local stack ended: %v", err)
		}
		if words := foreign.FindAllString(out.String(), -1); words != nil {
			p.t.Errorf("the output has the words %q", words)
		}
		if p.t.Failed() {
			p.t.Logf("the output:\n%s", out)
		}
	})
	return out
}

// fails runs the local stack with arguments that it must refuse, and returns its output.
func (p *project) fails(arguments ...string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.binary, arguments...)
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		p.t.Errorf("%s is accepted: %s", arguments, out)
	}
	return string(out)
}

// await waits until the output matches, and returns the first group.
func (o *output) await(t *testing.T, pattern string) string {
	t.Helper()
	expression := regexp.MustCompile(pattern)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(3 * time.Minute); ; <-tick.C {
		if found := expression.FindStringSubmatch(o.String()); found != nil {
			return found[len(found)-1]
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %s in the output:\n%s", pattern, o)
		}
	}
}

// TestStranger runs a project with an API, a queue and a schedule, with a program outside the checkout. Everything
// works, has the name of the project's folder, and mentions no other application.
func TestStranger(t *testing.T) {
	t.Parallel()
	p := setupProject(t, "shop")
	out := p.start("--parameter-overrides", "Greeting=welcome")
	url := out.await(t, `REST API +(\S+)\n`)
	out.await(t, `Ctrl-C ends everything`)
	text := out.String()
	for _, want := range []string{
		"\n  stack         shop, data in " + filepath.Join(p.dir, ".local") + "\n", "  functions     Web, Pack, Tidy\n", "  queues        shop-Orders\n",
		"  triggers      Orders → Pack, rate(1 minute) → Tidy\n", "  Try: curl -i -X GET " + url + "   Ctrl-C ends everything.\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the banner has no %q", want)
		}
	}
	if got := fetch(t, http.MethodGet, url); got != "200 welcome" {
		t.Errorf("GET %s: %s", url, got)
	}
	if got := fetch(t, http.MethodPut, url+"/7"); got != "200 welcome" {
		t.Errorf("PUT %s/7: %s", url, got)
	}
	out.await(t, `Pack .*packed 7 of arn:aws:sqs:us-east-1:000000000000:shop-Orders`)
	out.await(t, `Tidy .*tidied by arn:aws:events:us-east-1:000000000000:rule/shop-TidyOften`)
}

// fetch sends a request and returns status and body.
func fetch(t *testing.T, method, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer func() { _ = w.Body.Close() }()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", w.StatusCode, body)
}

// TestStrangersErrors checks that the words of an error fit every project.
func TestStrangersErrors(t *testing.T) {
	t.Parallel()
	p := setupProject(t, "shop").withFiles()
	occupied, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = occupied.Close() })
	port := fmt.Sprint(occupied.Addr().(*net.TCPAddr).Port)
	for want, arguments := range map[string][]string{
		"defined: -nothing":                {"--nothing"},
		"open none.yaml":                   {"--template", "none.yaml"},
		"allowed are 0 to 65535":           {"--port", "x"},
		"choose another with --port":       {"--port", port, "--aws-port", "0"},
		"choose another with --aws-port":   {"--aws-port", port, "--port", "0"},
		"the template requests no service": {"--provide", "postgres=on"},
		"Greetin: is not declared":         {"--parameter-overrides", "Greetin=x"},
		"must have the form Name=value":    {"--parameter-overrides", "x"},
		"no function with this logical id": {"--env-vars", "env.json"},
		"allowed are a letter and then":    {"--stack-name", "1"},
		"NAME=auto, NAME=on, NAME=off":     {"--provide", "x"},
		"Lambda refuses the environme":     {"--env-vars", "reserved.json"},
	} {
		out := p.fails(arguments...)
		if !strings.Contains(out, want) {
			t.Errorf("%s: %s; want %s", arguments, out, want)
		}
		if words := foreign.FindAllString(out, -1); words != nil {
			t.Errorf("%s: %s has the words %q", arguments, out, words)
		}
	}
	p.start("--data", "taken").await(t, `Ctrl-C ends everything`)
	out := p.fails("--data", "taken", "--port", "0", "--aws-port", "0")
	if !strings.Contains(out, "in use by another local stack; stop it or choose another folder with --data") || foreign.MatchString(out) {
		t.Errorf("a folder in use: %s", out)
	}
	help, err := exec.Command(p.binary, "--help").CombinedOutput()
	if words := foreign.FindAllString(string(help), -1); err != nil || words != nil {
		t.Errorf("--help: %v, it has the words %q", err, words)
	}
	version, err := exec.Command(p.binary, "--version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(version), "localstack ") {
		t.Errorf("--version: %v, %s", err, version)
	}
}

// withFiles writes wrong files of variables.
func (p *project) withFiles() *project {
	p.t.Helper()
	for name, content := range map[string]string{"env.json": `{"Wab": {"A": "b"}}`, "reserved.json": `{"Web": {"AWS_REGION": "b"}}`} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	return p
}
