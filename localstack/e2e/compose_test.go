package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composeService has the parts of a service in compose.yaml that the tests check.
type composeService struct {
	Image       string
	Command     []string
	Ports       []string
	Environment map[string]any
	Ulimits     any
	Build       struct{ Context, Dockerfile, Target string }
	Healthcheck struct{ Test []string }
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
}

// composeServices reads the file that .env names, as `docker compose` at the root does.
func composeServices(t *testing.T) map[string]composeService {
	t.Helper()
	env, err := os.ReadFile("../../.env")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(env), "\nSERVER_PORT=8080\n") {
		t.Errorf(".env does not set SERVER_PORT=8080: %s", env)
	}
	_, file, _ := strings.Cut(string(env), "\nCOMPOSE_FILE=")
	file, _, _ = strings.Cut(file, "\n")
	text, err := os.ReadFile(filepath.Join("../..", file))
	if err != nil {
		t.Fatalf("COMPOSE_FILE of .env: %v", err)
	}
	var compose struct{ Services map[string]composeService }
	if err := yaml.Unmarshal(text, &compose); err != nil {
		t.Fatal(err)
	}
	return compose.Services
}

func TestCompose(t *testing.T) {
	t.Parallel()
	services := composeServices(t)
	for name, s := range services {
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:${") {
				t.Errorf("%s: port %q is not one of 127.0.0.1 that a variable can change", name, port)
			}
		}
		if s.Ulimits != nil {
			t.Errorf("%s: rootless daemons may not raise limits: %v", name, s.Ulimits)
		}
		if s.Build.Dockerfile != "" {
			if _, err := os.Stat(filepath.Join("..", s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// No service starts before the check of the parameters, and LocalStack only after the migration.
	for name, needs := range map[string]string{"postgres": "check", "clickhouse": "check", "localstack": "migrate"} {
		if got := services[name].DependsOn[needs].Condition; got != "service_completed_successfully" {
			t.Errorf("%s does not wait for the end of %s: %q", name, needs, got)
		}
	}
	if test := services["proxy"].Healthcheck.Test; len(test) != 3 || strings.Count(test[2], "/") != 2 {
		t.Errorf("the health check %q has a path, and so invokes a function every few seconds", test)
	}
	if events := services["localstack"].Environment["DISABLE_EVENTS"]; events != 1 {
		t.Errorf("DISABLE_EVENTS is %v: without internet, LocalStack would end late", events)
	}
}

// fakeDocker writes a program in place of docker that logs its arguments and answers as a script says.
func fakeDocker(t *testing.T, script string) (run func(program string) (out string, ok bool), calls func() string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "calls")
	text := "#!/bin/sh\necho \"$*\" >>'" + log + "'\ncase \"$*\" in\n" + script + "\nesac\n"
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	run = func(program string) (string, bool) {
		cmd := exec.CommandContext(t.Context(), filepath.Join("../compose", program))
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	return run, func() string {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

// TestComposeUpSaysWhatIsWrong checks that `make up` names an unhealthy service, shows its last lines and fails.
func TestComposeUpSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	run, _ := fakeDocker(t, `
"compose up"*) exit 1 ;;
"compose ps"*) printf '%s\n' 'check exited  0' 'postgres running healthy 0' 'migrate exited  1' 'localstack running unhealthy 0' 'logs running  0' 'proxy created  0' ;;
"compose logs"*) shift $(($# - 1)); printf '\033[2Kwords of %s\n' "$1" ;;`)
	out, ok := run("up")
	const want = `
The system is not up.
migrate: exited, 1; its last lines:
words of migrate
localstack: running, unhealthy 0; its last lines:
words of localstack
make logs shows more; make down ends the rest.
`
	if ok || out != want {
		t.Errorf("up ends well: %t, with %q; want %q", ok, out, want)
	}
}

func TestComposeUpSaysWhereItIs(t *testing.T) {
	t.Parallel()
	run, calls := fakeDocker(t, `
"compose port proxy 8080") echo 127.0.0.1:8080 ;;
"compose port"*) echo 0.0.0.0:$4 ;;`)
	out, ok := run("up")
	if !ok || strings.Contains(out, "0.0.0.0") || !strings.Contains(calls(), "up --detach --wait") {
		t.Errorf("%t, %s\n%s", ok, out, calls())
	}
	for _, want := range []string{"http://127.0.0.1:8080/task", "postgres://ksu:ksu@127.0.0.1:5432/ksu", "127.0.0.1:9000", "one batch of tasks at a time"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q: %s", want, out)
		}
	}
	run, _ = fakeDocker(t, `"compose exec"*) echo "answers 500"; exit 1 ;; "compose port"*) echo 127.0.0.1:1 ;;`)
	if out, ok := run("up"); ok || !strings.Contains(out, "answers 500") || strings.Contains(out, "Try it") {
		t.Errorf("an API that answers 500 is up: %s", out)
	}
}

// TestComposeDownLeavesNoFunction checks that `make down` removes the containers that LocalStack left, before their
// network.
func TestComposeDownLeavesNoFunction(t *testing.T) {
	t.Parallel()
	run, calls := fakeDocker(t, `"ps"*) printf 'one\ntwo\n' ;;`)
	out, ok := run("down")
	const want = `compose stop proxy localstack
ps --all --quiet --filter label=ksu.function
rm --force one
rm --force two
compose down
`
	if !ok || calls() != want {
		t.Errorf("%t, %s: %s; want %s", ok, out, calls(), want)
	}
}
