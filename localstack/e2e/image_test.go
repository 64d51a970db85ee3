package e2e_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// TestImageBuildsFromItsContext runs the build step of localstack/Dockerfile on exactly the files that .dockerignore
// lets through. It checks that the files for later stages exist. It needs no Docker.
func TestImageBuildsFromItsContext(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	context := t.TempDir()
	copyContext(t, root, context)
	steps, copied := buildStage(t, filepath.Join(root, "localstack/Dockerfile"))
	for _, step := range steps {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", step)
		cmd.Dir = context
		// Modules come from the module cache, so the test needs no network.
		cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "GOFLAGS=-buildvcs=false", "GOPROXY=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", step, err, out)
		}
	}
	for _, source := range copied {
		if _, err := os.Stat(filepath.Join(context, source)); err != nil {
			t.Errorf("a later stage copies %s: %v", source, err)
		}
	}
	for _, f := range []string{"functions/api/bootstrap", "functions/worker/bootstrap", "functions/sweeper/bootstrap", "migrate/bootstrap", "infra/sam/template.yaml"} {
		if _, err := os.Stat(filepath.Join(context, ".local/build", f)); err != nil {
			t.Error(err)
		}
	}
	for name, s := range composeServices(t) {
		if s.Image != "ksu-tools" {
			continue
		}
		if _, err := os.Stat(filepath.Join(context, ".local/tools", s.Command[0])); err != nil {
			t.Errorf("service %s: %v", name, err)
		}
	}
	checkParameters(t, filepath.Join(context, ".local/tools"))
}

// checkParameters runs the command of the service check with a folder as the image's root.
func checkParameters(t *testing.T, root string) {
	t.Helper()
	command := slices.Clone(composeServices(t)["check"].Command)
	for i, argument := range command {
		if strings.HasPrefix(argument, "/") {
			command[i] = filepath.Join(root, argument)
		}
	}
	for parameters, want := range map[string]string{
		"":                                    "",
		"JobMinDuration=2s JobMaxDuration=3s": "",
		"JobsPerInvocation=10 WorkerConcurrency=2": `parameter JobsPerInvocation: app.jobs_per_invocation is "10"; app.semaphore (16, default)`,
		"Semafore=3":     "Parameter Semafore: is not declared; did you mean Semaphore?",
		"ThrottleRate=0": `Parameter ThrottleRate: "0" of PARAMS breaks MinValue 1`,
	} {
		cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
		cmd.Env = []string{"PARAMS=" + parameters}
		out, err := cmd.CombinedOutput()
		if (err == nil) != (want == "") || !strings.Contains(string(out), want) {
			t.Errorf("PARAMS=%q: %v, %s; want %s", parameters, err, out, want)
		}
	}
}

// copyContext links the files that Docker would send as a build's context.
func copyContext(t *testing.T, from, to string) {
	t.Helper()
	list, err := os.Open(filepath.Join(from, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = list.Close() }()
	patterns, err := ignorefile.ReadAll(list)
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(from, path)
		if err != nil || relErr != nil {
			return fmt.Errorf("%w, %w", err, relErr)
		}
		if d.IsDir() {
			if name == ".git" || name == ".local" {
				return filepath.SkipDir
			}
			return nil
		}
		out, err := ignored.MatchesOrParentMatches(name)
		if err != nil || out {
			return err
		}
		return copyFile(path, filepath.Join(to, name))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode().Perm())
}

// buildStage returns the commands of the stage "build" after it copies the whole context, with /src as the working
// folder. It also returns the paths below /src that other stages copy.
func buildStage(t *testing.T, dockerfile string) (steps, copied []string) {
	t.Helper()
	text, err := os.ReadFile(dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	stage, whole := "", false
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		switch {
		case words[0] == "FROM" && len(words) == 4:
			stage = words[3]
		case stage == "build" && words[0] == "COPY" && words[1] == ".":
			whole = true
		case stage == "build" && words[0] == "RUN" && whole:
			words = slices.DeleteFunc(words[1:], func(w string) bool { return strings.HasPrefix(w, "--mount=") })
			steps = append(steps, strings.Join(words, " "))
		case words[0] == "COPY" && words[1] == "--from=build":
			copied = append(copied, strings.TrimPrefix(words[2], "/src/"))
		}
	}
	if len(steps) == 0 || len(copied) == 0 {
		t.Fatalf("%s: %d steps, %d copies out of the stage build", dockerfile, len(steps), len(copied))
	}
	return steps, copied
}
