package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the local stack, params what turns the application's configuration into its flags, and faultproxy breaks
// connections to a database. All are built once.
var binary, params, faultproxy string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "ksu-e2e")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		runMoreAtOnce()
		binary, params, faultproxy = filepath.Join(dir, "localstack"), filepath.Join(dir, "params"), filepath.Join(dir, "faultproxy")
		built = filepath.Join(dir, "built")
		build := exec.Command("go", "build", "-o", dir, "..", "../../shared/config/params", "../../shared/testserver/netfault/faultproxy")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the local stack and the tests' programs: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// runMoreAtOnce lets more tests than processors run at once, unless -parallel is set: most of the time they wait for
// jobs, leases and time-outs.
func runMoreAtOnce() {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return
	}
	if err := flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
}

// running is a local stack under test.
type running struct {
	t        testing.TB
	cmd      *exec.Cmd
	api, aws string
	ended    chan struct{}
	err      error

	mu  sync.Mutex
	out bytes.Buffer
}

var (
	apiLine = regexp.MustCompile(`REST API +(http://[^/\s]+)`)
	awsLine = regexp.MustCompile(`AWS endpoint +(http://\S+)`)
)

// start runs the application's template with parameters and waits until it is ready.
func start(t testing.TB, data, parameters string, more ...string) *running {
	t.Helper()
	s := launch(t, data, append(more, "--template", "../../infra/sam/template.yaml", "--parameter-overrides", parameters)...)
	s.untilReady()
	return s
}

// untilReady waits for the banner, which has the addresses.
func (s *running) untilReady() {
	s.t.Helper()
	s.until("the stack to be ready", 3*time.Minute, func() bool {
		select {
		case <-s.ended:
			s.t.Fatalf("the stack ended: %v\n%s", s.err, s.output())
		default:
		}
		text := s.output()
		if !strings.Contains(text, "Ctrl-C ends everything") {
			return false
		}
		s.api = apiLine.FindStringSubmatch(text)[1]
		s.aws = awsLine.FindStringSubmatch(text)[1]
		return true
	})
}

// changedTemplate writes the application's template into a folder, with the samconfig.toml that names its stack. Some texts
// are replaced, each of which the template has once: old, new, old, new. It returns the path.
func changedTemplate(t testing.TB, dir string, replacements ...string) string {
	t.Helper()
	content, err := os.ReadFile("../../infra/sam/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err == nil {
		root, err = filepath.Rel(dir, root) // paths in a template are relative to it
	}
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(content), ": ../../", ": "+root+"/")
	for i := 0; i < len(replacements); i += 2 {
		if strings.Count(text, replacements[i]) != 1 {
			t.Fatalf("the template has %q not once", replacements[i])
		}
		text = strings.Replace(text, replacements[i], replacements[i+1], 1)
	}
	path := filepath.Join(dir, "template.yaml")
	config, err := os.ReadFile("../../infra/sam/samconfig.toml")
	if err = errors.Join(err, os.WriteFile(path, []byte(text), 0o600), os.WriteFile(filepath.Join(dir, "samconfig.toml"), config, 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

// launch starts the local stack with a private database, on free ports unless the arguments say otherwise.
func launch(t testing.TB, data string, arguments ...string) *running {
	t.Helper()
	return run(t, command(t, data, arguments...))
}

// configuration are the flags of the program that reads the application's configuration, as `make run` passes them on.
var configuration = map[string]string{
	"--config": "-config", "--storage": "-storage", "--clickhouse": "-clickhouse", "--parameter-overrides": "-parameters",
}

// command returns the command of launch: the local stack, behind the program that reads the configuration if a flag
// needs it.
func command(t testing.TB, data string, arguments ...string) *exec.Cmd {
	t.Helper()
	shareBuilt(t, data)
	stack, configured := []string{binary, "--port", "0", "--aws-port", "0", "--data", data}, []string{params, "-out", filepath.Join(data, "run")}
	for i := 0; i < len(arguments); i++ {
		if name := configuration[arguments[i]]; name != "" {
			configured = append(configured, name, arguments[i+1])
			i++
			continue
		}
		stack = append(stack, arguments[i])
	}
	if len(configured) > 3 {
		stack = slices.Concat(configured, []string{"--"}, stack)
	}
	cmd := exec.Command(stack[0], stack[1:]...)
	cmd.Env = append(os.Environ(), "DATABASE_URL=")
	return cmd
}

// run starts a command that is, or runs, the local stack. The test's end stops it.
func run(t testing.TB, cmd *exec.Cmd) *running {
	t.Helper()
	s := &running{t: t, cmd: cmd, ended: make(chan struct{})}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr = s.cmd.Stdout
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		in := bufio.NewReader(stdout)
		for {
			line, err := in.ReadString('\n')
			s.mu.Lock()
			s.out.WriteString(line)
			s.mu.Unlock()
			if err != nil {
				break
			}
		}
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		_ = s.stop()
		if t.Failed() {
			t.Logf("the stack's output:\n%s", s.output())
		}
	})
	return s
}

func (s *running) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// stop ends the stack as Ctrl-C does and returns how it ended.
func (s *running) stop() error {
	target := s.cmd.Process.Pid
	if s.cmd.SysProcAttr != nil && s.cmd.SysProcAttr.Setpgid {
		target = -target // the group, as a terminal does
	}
	select {
	case <-s.ended:
		return s.err
	default:
	}
	_ = syscall.Kill(target, syscall.SIGINT)
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		_ = syscall.Kill(target, syscall.SIGKILL)
		<-s.ended
		s.t.Error("the stack did not end within 30 s of SIGINT")
	}
	return s.err
}

// until waits for a condition.
func (s *running) until(what string, within time.Duration, condition func() bool) {
	s.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(within); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited %s for %s", within, what)
		}
	}
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (s *running) do(method, path, body string, headers ...string) reply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.api+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{w.StatusCode, w.Header, string(text)}
}

// submit creates a task and returns its id.
func (s *running) submit() string {
	s.t.Helper()
	r := s.do("POST", "/task", "")
	var t struct{ ID string }
	if err := json.Unmarshal([]byte(r.body), &t); r.status != 201 || err != nil || t.ID == "" {
		s.t.Fatalf("POST /task: %d %s", r.status, r.body)
	}
	return t.ID
}

// count returns how many tasks in the list have a status.
func (s *running) count(status string) int {
	s.t.Helper()
	r := s.do("GET", "/task?limit=1000&status="+status, "")
	var tasks []struct{ Status string }
	if err := json.Unmarshal([]byte(r.body), &tasks); r.status != 200 || err != nil {
		s.t.Fatalf("GET /task: %d %s", r.status, r.body)
	}
	return len(tasks)
}

func (s *running) status(id string) string {
	s.t.Helper()
	r := s.do("GET", "/task/"+id+"/status", "")
	var t struct{ Status string }
	if err := json.Unmarshal([]byte(r.body), &t); r.status != 200 || err != nil {
		s.t.Fatalf("GET /task/%s/status: %d %s", id, r.status, r.body)
	}
	return t.Status
}
