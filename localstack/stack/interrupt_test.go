package stack

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestStopWhileTheTemplateIsRead checks that a stop does not wait for a slow template.
func TestStopWhileTheTemplateIsRead(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "template.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, Options{Template: pipe, Data: t.TempDir()}, io.Discard) }()
	writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // blocks until the stack reads
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }() // ends the reading
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the stop is an error: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the stack waits for its template")
	}
}
