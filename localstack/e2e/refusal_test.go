package e2e_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// TestOneClearMessage starts stacks that cannot serve. Each exits with status 1, names the cause in its last lines, and
// leaves nothing behind.
func TestOneClearMessage(t *testing.T) {
	t.Parallel()
	const application = "../../infra/sam/template.yaml"
	occupied, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = occupied.Close() })
	port := fmt.Sprint(occupied.Addr().(*net.TCPAddr).Port)
	used := t.TempDir()
	start(t, used, "", "--storage", "internal")
	for name, c := range map[string]struct {
		arguments []string
		want      []string
	}{
		"function that does not compile": {
			[]string{"--template", "testdata/refused/uncompiled.yaml"},
			[]string{"function refused-Only (", "cannot be built", "main.go:4:15: undefined: undeclared"},
		},
		"function that exits in its init": {
			[]string{"--template", "testdata/refused/exits.yaml"},
			[]string{"function refused-Only", "ended before it asked for an invocation", "exit status 1", "cannot find the treasure map"},
		},
		"function that never asks for an invocation": {
			[]string{"--template", "testdata/refused/silent.yaml"},
			[]string{"function refused-Only", "did not ask for an invocation", "within 10s"},
		},
		"custom resource's function that exits in its init": {
			[]string{"--template", "testdata/refused/customexits.yaml"},
			[]string{"custom resource Only: init function refused-OnlyFunction", "ended before it asked for an invocation", "exit status 1; its last lines:\n",
				"cannot find the treasure map"},
		},
		"custom resource's function that never asks for an invocation": {
			[]string{"--template", "testdata/refused/customsilent.yaml"},
			[]string{"custom resource Only: init function refused-OnlyFunction", "did not ask for an invocation", "within 10s"},
		},
		"REST API's port in use": {
			[]string{"--template", application, "--port", port},
			[]string{"the REST API cannot listen", "127.0.0.1:" + port, "address already in use", "--port, 0 for any free one"},
		},
		"AWS endpoint's port in use": {
			[]string{"--template", application, "--aws-port", port},
			[]string{"the AWS endpoint cannot listen", "127.0.0.1:" + port, "address already in use", "--aws-port, 0 for any free one"},
		},
		"data folder in use, with Postgres": {
			[]string{"--template", application, "--data", used, "--storage", "postgres"}, []string{inUse(used)},
		},
		"data folder in use, with the internal storage": {
			[]string{"--template", application, "--data", used, "--storage", "internal"}, []string{inUse(used)},
		},
		"unknown parameter": {
			[]string{"--template", application, "--parameter-overrides", "Semafore=4"},
			[]string{"template.yaml: Parameter Semafore: is not declared; did you mean Semaphore?"},
		},
		"parameter out of range": {
			[]string{"--template", application, "--parameter-overrides", "Semaphore=0"},
			[]string{`parameter Semaphore: app.semaphore is "0"; allowed are whole numbers from 2 to 1000`},
		},
		"parameters that contradict, and all others that are wrong": {
			[]string{"--template", application, "--parameter-overrides", "JobMinDuration=10s JobMaxDuration=2s Semafore=4 ThrottleRate=0"},
			[]string{`parameter JobMaxDuration: job.max_duration is "2s"; allowed are durations from job.min_duration (10s, parameter JobMinDuration)`,
				"Parameter Semafore: is not declared", `Parameter ThrottleRate: "0" of PARAMS breaks MinValue 1`},
		},
		"parameter that only the template's pattern forbids": {
			[]string{"--template", application, "--parameter-overrides", "JobMinDuration=1us"},
			[]string{"template.yaml:", "Parameter JobMinDuration", "JobMinDuration is a Go duration, such as 2s"},
		},
		"jobs that are not counted": {
			[]string{"--template", application, "--parameter-overrides", "JobsPerInvocation=4"},
			[]string{`parameter JobsPerInvocation: app.jobs_per_invocation is "4"; app.worker_concurrency must then be given: allowed are whole numbers from 2 to 4`},
		},
		"one environment for many jobs": {
			[]string{"--template", application, "--parameter-overrides", "JobsPerInvocation=10 WorkerConcurrency=1"},
			[]string{`parameter WorkerConcurrency: app.worker_concurrency is "1"; allowed are nothing, or whole numbers from 2 to 1000`},
		},
		"more jobs than the semaphore": {
			[]string{"--template", application, "--parameter-overrides", "JobsPerInvocation=4 WorkerConcurrency=5"},
			[]string{`parameter WorkerConcurrency: app.worker_concurrency is "5"`, "app.semaphore (16, default) / app.jobs_per_invocation (4, parameter JobsPerInvocation)"},
		},
		"job longer than its worker": {
			[]string{"--template", application, "--parameter-overrides", "JobMaxDuration=26s WorkerTimeout=45 JobMinDuration=1s"},
			[]string{`parameter JobMaxDuration: job.max_duration is "26s"`, "allowed are durations up to 25s", "app.worker_timeout (45 s, parameter WorkerTimeout)"},
		},
		"malformed parameter": {
			[]string{"--template", application, "--parameter-overrides", "Semaphore"},
			[]string{"Semaphore", "must have the form Name=value"},
		},
		"unsupported resource": {
			[]string{"--template", "testdata/refused/resource.yaml"},
			[]string{"resource.yaml:4", "Files", "AWS::S3::Bucket is not supported", "AWS::SQS::Queue"},
		},
		"unsupported property": {
			[]string{"--template", "testdata/refused/property.yaml"},
			[]string{"property.yaml:10", "Only", "Layers is not supported"},
		},
		"template that is not there": {
			[]string{"--template", "testdata/refused/none.yaml"}, []string{"testdata/refused/none.yaml: no such file"},
		},
		"unknown flag":         {[]string{"--prot", "1"}, []string{"-prot"}},
		"flag that is no port": {[]string{"--aws-port", "x"}, []string{`"x" for flag -aws-port: allowed are 0 to 65535`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			s := launch(t, data, c.arguments...)
			<-s.ended
			text := s.output()
			if code := s.cmd.ProcessState.ExitCode(); code != 1 {
				t.Errorf("exit status %d, want 1", code)
			}
			if strings.Contains(text, "start Postgres") {
				t.Errorf("Postgres was started: %s", text)
			}
			_, message, found := strings.Cut(text, "localstack: ")
			if !found { // the configuration refuses it
				_, message, found = strings.Cut(text, "configuration:\n")
			}
			if !found || strings.Contains(message, "\nlocalstack: ") || strings.Contains(message, "goroutine ") || strings.Contains(text, "Usage of") {
				t.Errorf("want one message: %s", text)
			}
			if strings.Contains(name, "in use") && text != "localstack: "+message {
				t.Errorf("something was started before: %s", text)
			}
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("the message has no %q: %s", want, text)
				}
			}
			noProcess(t, data)
		})
	}
}

func inUse(data string) string {
	return "localstack: the data folder " + data + " is in use by another local stack; stop it or choose another folder with --data\n"
}
