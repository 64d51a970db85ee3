package postgres

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/services/run"
)

// TestServerTakesAnotherPort lets another process take the free port before the server does; it never answers.
func TestServerTakesAnotherPort(t *testing.T) {
	t.Parallel()
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Close() }()
	o := options(t)
	o.Database = "other"
	c, err := openCluster(o)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	c.port = func() (int, error) {
		if asked++; asked == 1 {
			return stranger.Addr().(*net.TCPAddr).Port, nil
		}
		return run.FreePort()
	}
	p, err := c.start(t.Context(), findAll(installedIn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeServer(t, p) })
	if asked != 2 {
		t.Errorf("it took %d ports, want 2", asked)
	}
	if got := query(t, p.URL(), "SELECT current_database()"); got != "other" {
		t.Errorf("the database is %q, want other", got)
	}
}

// TestClusterChoosesAWorkingServer checks that a broken installation does not hide a good one, and is reported if there
// is no other.
func TestClusterChoosesAWorkingServer(t *testing.T) {
	t.Parallel()
	broken := t.TempDir()
	write(t, filepath.Join(broken, "postgres"), "#!/bin/sh\necho no version here\n")
	c, err := openCluster(options(t))
	if err != nil {
		t.Fatal(err)
	}
	bindir, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.choose(context.Background(), []string{broken, bindir}); err != nil || c.bindir != bindir {
		t.Errorf("chose %q (%v), want %q", c.bindir, err, bindir)
	}
	wantError(t, c.choose(context.Background(), []string{broken}), broken, "no version here")
}
