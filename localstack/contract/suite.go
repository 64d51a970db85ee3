package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// check is one promise of the API.
type check struct {
	name string
	run  func(context.Context, *client, *findings)
}

// findings are the results of a check.
type findings struct {
	wrong, differs, notes []string
	skipped               string
}

// expect records a failure unless ok, and returns ok.
func (f *findings) expect(ok bool, format string, args ...any) bool {
	if !ok {
		f.wrong = append(f.wrong, fmt.Sprintf(format, args...))
	}
	return ok
}

// failed records an error and reports whether there is one.
func (f *findings) failed(err error) bool {
	if err != nil {
		f.wrong = append(f.wrong, err.Error())
	}
	return err != nil
}

// differ records a known difference of the platform.
func (f *findings) differ(format string, args ...any) {
	f.differs = append(f.differs, fmt.Sprintf(format, args...))
}

// note adds information to the line of a check.
func (f *findings) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// skip records why a check did not run.
func (f *findings) skip(format string, args ...any) { f.skipped = fmt.Sprintf(format, args...) }

// print writes the check's line with its findings, and returns the line's first word.
func (f *findings) print(out io.Writer, name string, took time.Duration) string {
	word, rest := "ok", f.notes
	switch {
	case len(f.wrong) > 0:
		word, rest = "FAIL", append(f.wrong, f.notes...)
	case f.skipped != "":
		word, rest = "skip", append([]string{f.skipped}, f.notes...)
	case len(f.differs) > 0:
		word, rest = "differs", append(f.differs, f.notes...)
	}
	_, _ = fmt.Fprintf(out, "%-8s %-44s %6.1fs\n", word, name, took.Seconds())
	for _, line := range rest {
		_, _ = fmt.Fprintf(out, "         - %s\n", line)
	}
	return word
}

// run runs all checks in order. It first submits the task whose ending it checks, so that its job runs meanwhile.
func run(ctx context.Context, o options, out io.Writer) error {
	c := newClient(o)
	if err := c.findPlatform(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "%s is %s\n", o.url, c.platform.name)
	watcher := newClient(o) // its task outlives the earlier checks
	ending := watchEnding(ctx, watcher)
	count := map[string]int{}
	checks := append(contractChecks(), listChecks()...)
	checks = append(checks, submissionChecks()...)
	checks = append(checks, keyChecks()...)
	checks = append(checks, cancelChecks()...)
	checks = append(checks, check{"a task ends, and its ending stays", ending})
	for _, k := range checks {
		var f findings
		started := time.Now()
		k.run(ctx, c, &f)
		took := time.Since(started)
		f.failed(c.deleteAll(context.WithoutCancel(ctx)))
		if ctx.Err() != nil {
			break
		}
		count[f.print(out, k.name, took)]++
	}
	err := watcher.deleteAll(context.WithoutCancel(ctx))
	if ctx.Err() != nil {
		return errors.Join(errors.New("stopped before the end"), err)
	}
	var words []string
	for _, word := range []string{"ok", "differs", "skip", "FAIL"} {
		words = append(words, fmt.Sprintf("%d %s", count[word], word))
	}
	_, _ = fmt.Fprintln(out, strings.Join(words, ", "))
	if count["FAIL"] > 0 {
		err = errors.Join(fmt.Errorf("%d of %d checks failed", count["FAIL"], len(checks)), err)
	}
	return err
}
